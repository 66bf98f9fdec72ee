import { checkData, type Diagnostic } from '@plinth/base';
import { isMap } from 'yaml';
import { z } from 'zod';
import { cidrAddress, domainName, ipAddress } from '../framework/names.ts';
import type { ReadSections } from '../parse/read-sections.ts';
import { hidden, openText, problemAt, rangeAt, sectionOf } from './foreign-text.ts';

// network-config of version 2 as cloud-init documents it (a part of netplan's format).

const EVERYWHERE = ['0.0.0.0/0', '::/0', 'default'];

const route = z.strictObject({
  to: z.union([cidrAddress, z.literal('default')]),
  via: ipAddress,
  metric: z.int().optional(),
});

const settings = {
  dhcp4: z.boolean().default(false),
  dhcp6: z.boolean().optional(),
  'accept-ra': z.boolean().optional(),
  addresses: z.array(cidrAddress).max(16).default([]),
  gateway4: ipAddress.optional(),
  gateway6: ipAddress.optional(),
  routes: z.array(route).max(64).default([]),
  nameservers: z
    .strictObject({
      addresses: z.array(ipAddress).max(3).default([]),
      search: z.array(domainName).max(8).default([]),
    })
    .optional(),
  mtu: z.int().optional(),
  optional: z.boolean().optional(),
  renderer: z.literal('networkd', 'expected "networkd": there is no other on a node').optional(),
};

const ethernet = z.strictObject({
  ...settings,
  match: z.strictObject({ macaddress: z.string().optional(), name: z.string().optional() }).optional(),
  'set-name': z.undefined('expected no "set-name": cards keep their names on a node').optional(),
});

const bond = z.strictObject({
  ...settings,
  interfaces: z.array(z.string()).min(1).max(16),
  parameters: z
    .strictObject({ mode: z.enum(['active-backup', '802.3ad'], 'expected active-backup or 802.3ad') })
    .optional(),
});

const vlan = z.strictObject({ ...settings, id: z.int(), link: z.string() });

const network = z.strictObject({
  version: z.literal(2, 'expected version 2: version 1 is not read'),
  renderer: settings.renderer,
  ethernets: z.record(z.string(), ethernet).default({}),
  bonds: z.record(z.string(), bond).default({}),
  vlans: z.record(z.string(), vlan).default({}),
});

type Network = z.infer<typeof network>;
type Settings = Omit<z.infer<typeof vlan>, 'id' | 'link'>;
type Place = readonly string[];

/** What cannot be said in a document of kind Network, and where it stands. */
class CannotHonour extends Error {
  readonly place: Place;

  constructor(place: Place, state: string) {
    super(state);
    this.name = 'CannotHonour';
    this.place = place;
  }
}

/**
 * readNetplan reads network-config of version 2, bare or below a key "network": the document of kind Network it stands for.
 * Whatever that document has no words for is an error with its place.
 */
export function readNetplan(bytes: Uint8Array, file: string): ReadSections {
  const text = openText(bytes, file);
  if (!text.ok) return { sections: [], diagnostics: text.diagnostics };
  const { document, source, map } = text;
  const below: Place = isMap(map.get('network')) ? ['network'] : [];
  const data = document.toJS() as Readonly<Record<string, unknown>>;
  const wrapped = z.strictObject({ network });
  const checked =
    below.length === 0
      ? checkData(data, document, network, source)
      : checkData(data, document, wrapped, source);
  if (!checked.ok) return failed(...checked.diagnostics.map(hidden));
  const value: Network = 'network' in checked.value ? checked.value.network : checked.value;
  try {
    const fields = networkOf(value);
    if (Object.keys(fields).length === 0) return { sections: [], diagnostics: [] };
    return sectionOf('network', fields, source, rangeAt(document, [...below, 'version']));
  } catch (reason) {
    if (!(reason instanceof CannotHonour)) throw reason;
    const place = [...below, ...reason.place];
    return failed(problemAt(source, rangeAt(document, place), `$.${place.join('.')}`, reason.message));
  }
}

function networkOf(given: Network) {
  const macs = new Map(Object.entries(given.ethernets).map(([id, { match }]) => [id, macOf(match)]));
  const macFor = (id: string, place: Place): string => {
    const mac = macs.get(id);
    if (mac !== undefined) return mac;
    throw new CannotHonour(
      place,
      `the card "${id}" has no match.macaddress, expected one: cards are told by it`,
    );
  };
  const searchDomains = new Set<string>();
  const linkOf = (value: Settings, place: Place) => linkSettings(value, place, searchDomains);
  const interfaces = Object.entries(given.ethernets).flatMap(([id, value]) => {
    const place = ['ethernets', id];
    // Without settings of its own a card asks the network, which is what every card does that is not named.
    if (macs.get(id) === undefined && asksTheNetworkOnly(value)) return [];
    if (value.match?.name !== undefined)
      throw new CannotHonour(
        [...place, 'match', 'name'],
        'cards are told by match.macaddress, expected it alone',
      );
    return [{ mac: macFor(id, place), ...linkOf(value, place) }];
  });
  const members = new Set(Object.values(given.bonds).flatMap((each) => each.interfaces));
  const bonds = Object.entries(given.bonds).map(([name, value]) => ({
    ...{ name, mode: value.parameters?.mode ?? 'active-backup' },
    members: value.interfaces.map((id) => macFor(id, ['bonds', name, 'interfaces'])),
    ...linkOf(value, ['bonds', name]),
  }));
  const vlans = Object.entries(given.vlans).map(([name, value]) => ({
    ...{ name, id: value.id },
    parent: Object.hasOwn(given.bonds, value.link) ? value.link : macFor(value.link, ['vlans', name, 'link']),
    ...linkOf(value, ['vlans', name]),
  }));
  // A card of a bond has nothing of its own, and must not stand among the others.
  const memberMacs = new Set([...members].map((id) => macs.get(id)));
  const own = Object.entries(given.ethernets).find(([id, each]) => members.has(id) && !saysNothing(each));
  if (own)
    throw new CannotHonour(['ethernets', own[0]], 'settings of a card of a bond, expected them on the bond');
  const single = interfaces.filter(({ mac }) => !memberMacs.has(mac));
  return {
    ...(single.length > 0 && { interfaces: single }),
    ...(bonds.length > 0 && { bonds }),
    ...(vlans.length > 0 && { vlans }),
    ...(searchDomains.size > 0 && { dns: { searchDomains: [...searchDomains] } }),
  };
}

function macOf(match: z.infer<typeof ethernet>['match']): string | undefined {
  return match?.macaddress?.toLowerCase();
}

function asksTheNetworkOnly(value: z.infer<typeof ethernet>): boolean {
  return value.dhcp4 && value.dhcp6 !== false && saysNothing({ ...value, dhcp4: false, dhcp6: false });
}

function saysNothing(value: z.infer<typeof ethernet>): boolean {
  const { dhcp4, dhcp6, addresses, gateway4, gateway6, routes, nameservers, mtu } = value;
  const nothing =
    addresses.length === 0 && routes.length === 0 && nameservers === undefined && mtu === undefined;
  return !dhcp4 && !dhcp6 && nothing && gateway4 === undefined && gateway6 === undefined;
}

function linkSettings(value: Settings, place: Place, searchDomains: Set<string>) {
  const { dhcp4, dhcp6, addresses, nameservers, mtu } = value;
  const ra = value['accept-ra'];
  if ((dhcp6 ?? dhcp4) !== dhcp4 || (ra ?? dhcp4) !== dhcp4)
    throw new CannotHonour(
      [...place, dhcp6 === undefined ? 'accept-ra' : 'dhcp6'],
      'DHCPv4, DHCPv6 and router advertisements are one setting of a node, expected dhcp4, dhcp6 and accept-ra alike',
    );
  for (const domain of nameservers?.search ?? []) searchDomains.add(domain);
  if (value.routes.some(({ to, metric }) => EVERYWHERE.includes(to) && metric !== undefined))
    throw new CannotHonour([...place, 'routes'], 'a metric of the route to everything, expected none');
  const gateways = [
    ...[value.gateway4, value.gateway6].filter((each) => each !== undefined),
    ...value.routes.filter(({ to }) => EVERYWHERE.includes(to)).map(({ via }) => via),
  ];
  const [gateway, second] = gateways;
  if (second !== undefined)
    throw new CannotHonour(
      place,
      'two routers for everything, expected one: a link of a node has one gateway',
    );
  const routes = value.routes
    .filter(({ to }) => !EVERYWHERE.includes(to))
    .map(({ to, via, metric }) => ({
      destination: to,
      gateway: via,
      ...(metric !== undefined && { metric }),
    }));
  return {
    ...{ dhcp: dhcp4, addresses, routes, dns: nameservers?.addresses ?? [] },
    ...(gateway !== undefined && { gateway }),
    ...(mtu !== undefined && { mtu }),
  };
}

function failed(...diagnostics: readonly Diagnostic[]): ReadSections {
  return { sections: [], diagnostics };
}
