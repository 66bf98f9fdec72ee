import {
  GetNetworkResponseSchema,
  type Link,
  type LinkAddress,
  messageData,
  type NameResolution,
  type Neighbour,
  type ResolverScope,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatBytes } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { emptyText, notObservedBlock } from './system-cells.ts';

/** Links of pods, of which a node has as many as pods. */
const OF_PODS = /^(?:veth|cni|cali|lxc)/;

/**
 * showNetwork asks a node for links, addresses, routes, name resolution and neighbours. Without `all` links of pods and
 * neighbours behind them are left out. @throws cli/context-missing, api/…
 */
export async function showNetwork(
  options: AskOptions & { readonly all: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.system.network());
  const shown = (name: string) => options.all || !/^veth|^cali|^lxc/.test(name);
  const links = answer.links.filter(({ name }) => shown(name));
  const neighbours = answer.neighbours.filter(({ device }) => options.all || !OF_PODS.test(device));
  return {
    data: messageData(GetNetworkResponseSchema, answer),
    names: links.map(({ name }) => name),
    view: [
      linksTable(links),
      ...(links.length < answer.links.length
        ? [facts([['links of pods', `${answer.links.length - links.length}, shown with --all`]])]
        : []),
      table(
        [
          {
            header: 'DESTINATION',
            value: ({ destination, type }) => (type === 'unicast' ? destination : `${type} ${destination}`),
          },
          { header: 'GATEWAY', value: ({ gateway }) => gateway },
          { header: 'LINK', value: ({ device }) => device },
          { header: 'SOURCE', value: ({ source }) => source },
          { header: 'METRIC', value: ({ metric }) => String(metric), align: 'right' },
          { header: 'FROM', value: ({ protocol }) => protocol },
          { header: 'TABLE', value: ({ table: name }) => name, wide: true },
        ],
        answer.routes.filter(({ device }) => device.split(' ').every(shown)),
        emptyText(answer.notObserved, 'The node has no route.'),
      ),
      ...dnsBlocks(answer.dns),
      neighboursTable(neighbours),
      ...(answer.lldp.length > 0
        ? [
            table(
              [
                { header: 'LLDP', value: ({ link }) => link },
                { header: 'SYSTEM', value: ({ systemName, chassisId }) => systemName || chassisId },
                { header: 'PORT', value: ({ portId }) => portId },
                { header: 'PORT-DESCRIPTION', value: ({ portDescription }) => portDescription },
                {
                  header: 'VLAN',
                  value: ({ vlan }) => (vlan === undefined ? '' : String(vlan)),
                  align: 'right',
                },
                { header: 'CHASSIS', value: ({ chassisId }) => chassisId, wide: true },
              ],
              answer.lldp,
            ),
          ]
        : [facts([['LLDP', 'no neighbour announces itself']])]),
      ...notObservedBlock(answer.notObserved),
    ],
  };
}

interface LinkRow {
  readonly link: Link;
  readonly address: LinkAddress | undefined;
  readonly first: boolean;
}

function linksTable(links: readonly Link[]): Block {
  // One line for each address, for they are what is looked for.
  const rows = links.flatMap((link): LinkRow[] =>
    link.addresses.length === 0
      ? [{ link, address: undefined, first: true }]
      : link.addresses.map((address, index) => ({ link, address, first: index === 0 })),
  );
  const once = (value: (link: Link) => string) => (row: LinkRow) => (row.first ? value(row.link) : ' ');
  return table(
    [
      { header: 'LINK', value: once(({ name }) => name) },
      { header: 'KIND', value: once(({ kind }) => kind) },
      {
        header: 'STATE',
        value: once(({ state }) => state),
        mark: ({ link }, style) => linkMark(link, style),
      },
      {
        header: 'SETUP',
        value: once(({ setup }) => setup),
        mark: ({ link }, style) => setupMark(link, style),
      },
      { header: 'MTU', value: once(({ mtu }) => String(mtu)), align: 'right' },
      {
        header: 'ADDRESS',
        value: ({ address }) => (address ? [address.cidr, ...address.flags].join(' ') : ''),
      },
      { header: 'ORIGIN', value: ({ address }) => address?.origin || '' },
      { header: 'MAC', value: once(({ mac }) => mac), wide: true },
      { header: 'MASTER', value: once(({ master }) => master), wide: true },
      {
        header: 'SPEED',
        value: once(({ speedMbits }) => (speedMbits ? `${speedMbits} Mbit/s` : '')),
        wide: true,
      },
      {
        header: 'RECEIVED',
        value: once(({ received }) => formatBytes(Number(received?.bytes ?? 0))),
        align: 'right',
        wide: true,
      },
      {
        header: 'SENT',
        value: once(({ sent }) => formatBytes(Number(sent?.bytes ?? 0))),
        align: 'right',
        wide: true,
      },
      {
        header: 'ERRORS',
        value: once(({ received, sent }) => String((received?.errors ?? 0n) + (sent?.errors ?? 0n))),
        align: 'right',
        wide: true,
      },
      {
        header: 'DROPPED',
        value: once(({ received, sent }) => String((received?.dropped ?? 0n) + (sent?.dropped ?? 0n))),
        align: 'right',
        wide: true,
      },
    ],
    rows,
    'The node has no link.',
  );
}

/** Tunnels that work say "unknown". */
function linkMark({ state }: Link, style: Style) {
  return state === 'up' || state === 'unknown' ? style.good : style.bad;
}

function setupMark({ setup }: Link, style: Style) {
  if (setup === 'failed') return style.bad;
  return setup === 'configured' || setup === 'unmanaged' ? style.faint : style.doubtful;
}

function neighboursTable(neighbours: readonly Neighbour[]): Block {
  return table(
    [
      { header: 'NEIGHBOUR', value: ({ address }) => address },
      { header: 'MAC', value: ({ mac }) => mac },
      { header: 'LINK', value: ({ device }) => device },
      {
        header: 'STATE',
        value: ({ state }) => state.toLowerCase(),
        mark: ({ state }, style) => (state === 'FAILED' || state === 'INCOMPLETE' ? style.bad : style.faint),
      },
    ],
    neighbours,
    'No machine on the same network is known.',
  );
}

function dnsBlocks(dns: NameResolution | undefined): readonly Block[] {
  if (!dns) return [];
  const { global, links } = dns;
  return [
    table(
      [
        { header: 'DNS', value: ({ link }) => link || 'all links' },
        { header: 'SERVERS', value: serversText },
        { header: 'SEARCH', value: ({ searchDomains }) => searchDomains.join(' ') },
        { header: 'ONLY-FOR', value: ({ routeDomains }) => routeDomains.join(' ') },
        { header: 'DNSSEC', value: ({ dnssec }) => dnssec },
        { header: 'TLS', value: ({ dnsOverTls }) => dnsOverTls },
        { header: 'LLMNR', value: ({ llmnr }) => llmnr, wide: true },
        { header: 'MDNS', value: ({ multicastDns }) => multicastDns, wide: true },
        { header: 'FALLBACK', value: ({ fallbackServers }) => fallbackServers.join(' '), wide: true },
      ],
      [...(global ? [global] : []), ...links],
    ),
    facts([
      ['names', `${dns.queries} asked, ${dns.cacheSize} kept, ${dns.cacheHits} answered from what was kept`],
    ]),
  ];
}

/** The server in use stands first, with a star. */
function serversText({ servers, currentServer }: ResolverScope): string {
  const others = servers.filter((server) => server !== currentServer);
  return [...(currentServer === '' ? [] : [`${currentServer}*`]), ...others].join(' ');
}
