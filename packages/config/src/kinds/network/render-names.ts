import type { Network } from './schema.ts';

/** renderResolver is a resolved.conf(5): name servers and domains of the whole node. */
export function renderResolver({ servers, searchDomains }: NonNullable<Network['dns']>): readonly string[] {
  return [
    '[Resolve]',
    ...(servers.length > 0 ? [`DNS=${servers.join(' ')}`] : []),
    ...(searchDomains.length > 0 ? [`Domains=${searchDomains.join(' ')}`] : []),
  ];
}

/** renderNtp is a timesyncd.conf(5). */
export function renderNtp({ servers }: NonNullable<Network['ntp']>): readonly string[] {
  return ['[Time]', `NTP=${servers.join(' ')}`];
}

/** renderHosts is hosts(5): what the image has, and the names of the config. */
export function renderHosts(hosts: Network['hosts']): readonly string[] {
  return [
    '127.0.0.1 localhost',
    '::1 localhost ip6-localhost ip6-loopback',
    ...hosts.map(({ address, names }) => `${address} ${names.join(' ')}`),
  ];
}
