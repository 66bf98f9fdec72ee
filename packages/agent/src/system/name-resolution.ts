import type { MessageInitShape } from '@bufbuild/protobuf';
import type { NameResolutionSchema } from '@plinth/api';
import { z } from 'zod';
import { formatAddress } from '../kernel/socket-table.ts';
import type { Sys } from '../sys/sys.ts';
import { BUSCTL, parseProperties } from './bus-properties.ts';
import { type Observation, runText } from './observing.ts';

const SERVICE = 'org.freedesktop.resolve1';
const OBJECT = '/org/freedesktop/resolve1';
/** A machine has few links with servers of their own; each is asked on its own. */
const LINKS_MAXIMUM = 16;
const SCOPE = ['DNSSEC', 'DNSSECSupported', 'DNSOverTLS', 'LLMNR', 'MulticastDNS'];
const MANAGER = [
  ...['DNSEx', 'CurrentDNSServerEx', 'Domains', ...SCOPE],
  ...['ResolvConfMode', 'FallbackDNSEx', 'TransactionStatistics', 'CacheStatistics'],
];
const LINK = ['DNSEx', 'CurrentDNSServerEx', 'Domains', ...SCOPE];

/** nameResolution asks systemd-resolved for its servers and domains. @param links names of links by number */
export async function nameResolution(
  sys: Sys,
  links: ReadonlyMap<number, string>,
  { attempt }: Observation,
): Promise<MessageInitShape<typeof NameResolutionSchema> | undefined> {
  const ask = (path: string, kind: string, properties: readonly string[]) =>
    runText(sys, BUSCTL, [
      '--json=short',
      'get-property',
      SERVICE,
      path,
      `${SERVICE}.${kind}`,
      ...properties,
    ]);
  const found = await attempt('name resolution', async () =>
    parseResolver(await ask(OBJECT, 'Manager', MANAGER)),
  );
  if (!found) return undefined;
  const { scoped, ...resolver } = found;
  const scopes = [];
  for (const index of scoped.slice(0, LINKS_MAXIMUM)) {
    const link = links.get(index) ?? String(index);
    const scope = await attempt(`name resolution of ${link}`, async () =>
      parseLinkScope(await ask(linkPath(index), 'Link', LINK)),
    );
    if (scope) scopes.push({ link, ...scope });
  }
  return { ...resolver, links: scopes };
}

/** D-Bus writes a digit at the beginning of a name by its number (sd_bus_path_encode(3)). */
export function linkPath(index: number): string {
  const digits = String(index);
  return `${OBJECT}/link/_${digits.charCodeAt(0).toString(16)}${digits.slice(1)}`;
}

const bytes = z.array(z.number().int().min(0).max(255)).max(16);
const name = z.string().max(253);
const port = z.number().int().min(0).max(65_535);
const servers = z.array(z.tuple([z.number(), z.number(), bytes, port, name])).max(1_000);
const oneServer = z.tuple([z.number(), z.number(), bytes, port, name]);
const domains = z.array(z.tuple([z.number(), name, z.boolean()])).max(1_000);
const word = z.string().max(64);
const count = z.number().nonnegative();
const scopeProperties = [word, z.boolean(), word, word, word] as const;

const managerProperties = z.tuple([
  ...([servers, oneServer, domains, ...scopeProperties] as const),
  word,
  servers,
  z.tuple([count, count]),
  z.tuple([count, count, count]),
]);

/** parseResolver reads the properties of the manager; `scoped` are the numbers of links with servers or domains of their own. */
export function parseResolver(text: string) {
  const [dns, current, domainList, dnssec, dnssecSupported, dnsOverTls, llmnr, multicastDns, ...rest] =
    managerProperties.parse(parseProperties(text));
  const [resolvConfMode, fallback, [, queries], [cacheSize, cacheHits]] = rest;
  const ofAll = domainList.filter(([link]) => link === 0);
  return {
    scoped: [...new Set([...dns.map(([link]) => link), ...domainList.map(([link]) => link)])].filter(
      (link) => link > 0,
    ),
    global: {
      ...{ dnssec, dnssecSupported, dnsOverTls, llmnr, multicastDns },
      servers: dns
        .filter(([link]) => link === 0)
        .map(([, , address, at, host]) => serverText(address, at, host)),
      currentServer: current[0] === 0 ? serverText(current[2], current[3], current[4]) : '',
      ...domainsOf(ofAll.map(([, domain, routeOnly]) => [domain, routeOnly])),
      fallbackServers: fallback.map(([, , address, at, host]) => serverText(address, at, host)),
    },
    resolvConfMode,
    ...{ queries: BigInt(queries), cacheSize: BigInt(cacheSize), cacheHits: BigInt(cacheHits) },
  };
}

const linkProperties = z.tuple([
  z.array(z.tuple([z.number(), bytes, port, name])).max(1_000),
  z.tuple([z.number(), bytes, port, name]),
  z.array(z.tuple([name, z.boolean()])).max(1_000),
  ...scopeProperties,
]);

/** parseLinkScope reads the properties of one link. */
export function parseLinkScope(text: string) {
  const [dns, [, address, at, host], domainList, dnssec, dnssecSupported, dnsOverTls, llmnr, multicastDns] =
    linkProperties.parse(parseProperties(text));
  return {
    ...{ dnssec, dnssecSupported, dnsOverTls, llmnr, multicastDns },
    servers: dns.map((server) => serverText(server[1], server[2], server[3])),
    currentServer: serverText(address, at, host),
    ...domainsOf(domainList),
  };
}

function domainsOf(list: readonly (readonly [domain: string, routeOnly: boolean])[]) {
  const of = (wanted: boolean) =>
    list.filter(([, routeOnly]) => routeOnly === wanted).map(([domain]) => domain);
  return { searchDomains: of(false), routeDomains: of(true) };
}

/** As resolved.conf(5) writes a server: "192.0.2.53", "[2001:db8::1]:853#dns.example"; "" for none. */
function serverText(address: readonly number[], at: number, host: string): string {
  if (address.length !== 4 && address.length !== 16) return '';
  const ip = formatAddress(Uint8Array.from(address));
  const withPort = at === 0 ? ip : address.length === 16 ? `[${ip}]:${at}` : `${ip}:${at}`;
  return host === '' ? withPort : `${withPort}#${host}`;
}
