import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LldpNeighbourSchema, NeighbourSchema, RouteSchema } from '@plinth/api';
import { z } from 'zod';
import { formatAddress } from '../kernel/socket-table.ts';

const text = z.string().max(1024);
const counter = z.number().nonnegative().default(0);
const traffic = z.object({ bytes: counter, packets: counter, errors: counter, dropped: counter });
const ADDRESS_FLAGS = ['tentative', 'dadfailed', 'deprecated', 'temporary', 'dynamic'] as const;

const ipLinks = z.array(
  z.object({
    ifindex: z.number().int().nonnegative(),
    ifname: text,
    link_type: text.default(''),
    address: text.optional(),
    mtu: z.number().int().nonnegative().default(0),
    operstate: text.default('UNKNOWN'),
    master: text.optional(),
    linkinfo: z.object({ info_kind: text.optional() }).optional(),
    stats64: z.object({ rx: traffic, tx: traffic }).optional(),
    addr_info: z
      .array(
        z.looseObject({
          local: text.optional(),
          prefixlen: z.number().int().nonnegative(),
          scope: text.default(''),
        }),
      )
      .default([]),
  }),
);

/** parseLinks reads `ip -j -s -d addr show`. Throws when it has another shape; so do the functions below. */
export function parseLinks(data: unknown) {
  return ipLinks.parse(data).map(({ ifindex, ifname, link_type, linkinfo, stats64, ...link }) => ({
    ...{ name: ifname, index: ifindex, kind: linkinfo?.info_kind ?? link_type, mac: link.address ?? '' },
    ...{ mtu: link.mtu, state: link.operstate.toLowerCase(), master: link.master ?? '' },
    ...(stats64 && { received: trafficShape(stats64.rx), sent: trafficShape(stats64.tx) }),
    addresses: link.addr_info
      .filter(({ local }) => local !== undefined)
      .map((address) => ({
        cidr: `${address.local ?? ''}/${address.prefixlen}`,
        scope: address.scope,
        flags: ADDRESS_FLAGS.filter((flag) => address[flag] === true),
      })),
  }));
}

/** A link as the kernel tells of it. */
export type LinkFacts = ReturnType<typeof parseLinks>[number];

function trafficShape({ bytes, packets, errors, dropped }: z.infer<typeof traffic>) {
  return { bytes: BigInt(bytes), packets: BigInt(packets), errors: BigInt(errors), dropped: BigInt(dropped) };
}

const ipRoutes = z.array(
  z.object({
    type: text.default('unicast'),
    dst: text,
    gateway: text.optional(),
    via: z.object({ host: text }).optional(),
    dev: text.optional(),
    prefsrc: text.optional(),
    protocol: text.default(''),
    metric: z.number().int().nonnegative().default(0),
    table: z.union([text, z.number()]).default('main'),
    nexthops: z
      .array(
        z.object({
          gateway: text.optional(),
          via: z.object({ host: text }).optional(),
          dev: text.optional(),
        }),
      )
      .optional(),
  }),
);

/** parseRoutes reads `ip -j route show table all`, without the kernel's own table of local addresses. */
export function parseRoutes(data: unknown, family: 'inet' | 'inet6'): MessageInitShape<typeof RouteSchema>[] {
  return ipRoutes
    .parse(data)
    .filter(
      ({ table, type }) =>
        table !== 'local' && !['local', 'broadcast', 'multicast', 'anycast'].includes(type),
    )
    .map((route) => {
      const hops = route.nexthops ?? [route];
      const list = (values: readonly (string | undefined)[]) =>
        [...new Set(values.filter((value) => value !== undefined))].join(' ');
      return {
        ...{
          family,
          destination: route.dst,
          type: route.type,
          protocol: route.protocol,
          metric: route.metric,
        },
        ...{ table: String(route.table), source: route.prefsrc ?? '' },
        gateway: list(hops.map(({ gateway, via }) => gateway ?? via?.host)),
        device: list(hops.map(({ dev }) => dev)),
      };
    });
}

const ipNeighbours = z.array(
  z.object({
    dst: text,
    dev: text.default(''),
    lladdr: text.optional(),
    state: z.array(text).default([]),
  }),
);

/** parseNeighbours reads `ip -j neigh show`, without entries that the kernel only keeps for itself. */
export function parseNeighbours(data: unknown): MessageInitShape<typeof NeighbourSchema>[] {
  return ipNeighbours
    .parse(data)
    .filter(({ state }) => !state.includes('NOARP'))
    .map(({ dst, dev, lladdr, state }) => ({
      address: dst,
      mac: lladdr ?? '',
      device: dev,
      state: state[0] ?? '',
    }));
}

const octets = z.array(z.number().int().min(0).max(255)).max(64);
const manager = z.object({
  Interfaces: z
    .array(
      z.object({
        Name: text,
        Driver: text.nullish(),
        AdministrativeState: text.nullish(),
        NetworkFile: text.nullish(),
        Addresses: z
          .array(z.object({ Address: octets, PrefixLength: z.number(), ConfigSource: text.nullish() }))
          .nullish(),
      }),
    )
    .default([]),
});

/** What systemd-networkd does with a link. */
export interface LinkSetup {
  readonly setup: string;
  readonly networkFile: string;
  readonly driver: string;
  /** Where each address comes from, by "ADDRESS/PREFIX". */
  readonly origins: ReadonlyMap<string, string>;
}

/** parseManager reads `networkctl --json status --all`: settings by name of the link. */
export function parseManager(data: unknown): ReadonlyMap<string, LinkSetup> {
  const links = manager.parse(data).Interfaces.map((link): [string, LinkSetup] => {
    const origins = (link.Addresses ?? []).flatMap(
      ({ Address, PrefixLength, ConfigSource }): [string, string][] =>
        Address.length === 4 || Address.length === 16
          ? [[`${formatAddress(Uint8Array.from(Address))}/${PrefixLength}`, ConfigSource ?? '']]
          : [],
    );
    const { AdministrativeState, NetworkFile, Driver } = link;
    return [
      link.Name,
      {
        ...{ setup: AdministrativeState ?? '', networkFile: NetworkFile ?? '', driver: Driver ?? '' },
        origins: new Map(origins),
      },
    ];
  });
  return new Map(links);
}

const lldp = z.object({
  Neighbors: z
    .array(
      z.object({
        InterfaceName: text,
        Neighbors: z
          .array(
            z.object({
              ChassisID: text.nullish(),
              PortID: text.nullish(),
              PortDescription: text.nullish(),
              SystemName: text.nullish(),
              SystemDescription: text.nullish(),
              EnabledCapabilities: z.number().int().nonnegative().nullish(),
              VlanID: z.number().int().nonnegative().nullish(),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

/** parseLldp reads `networkctl --json lldp`. */
export function parseLldp(data: unknown): MessageInitShape<typeof LldpNeighbourSchema>[] {
  return lldp.parse(data).Neighbors.flatMap(({ InterfaceName, Neighbors }) =>
    Neighbors.map((one) => ({
      ...{ link: InterfaceName, chassisId: one.ChassisID ?? '', portId: one.PortID ?? '' },
      ...{ portDescription: one.PortDescription ?? '', systemName: one.SystemName ?? '' },
      ...{ systemDescription: one.SystemDescription ?? '', capabilities: one.EnabledCapabilities ?? 0 },
      ...(typeof one.VlanID === 'number' && { vlan: one.VlanID }),
    })),
  );
}
