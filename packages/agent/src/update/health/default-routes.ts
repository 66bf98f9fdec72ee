import { type CheckSpec, passIf } from '../../checks/check.ts';
import { readText, type Sys } from '../../sys/sys.ts';
import type { Baseline } from '../activate/activated.ts';

const IPV4 = '/proc/net/route';
const IPV6 = '/proc/net/ipv6_route';
/** RTF_UP and RTF_GATEWAY (linux/route.h). */
const UP = 0x1;
const GATEWAY = 0x2;

/** defaultRoutes tells by which families the node gets out. */
export async function defaultRoutes(sys: Pick<Sys, 'readFile'>): Promise<Baseline['defaultRoutes']> {
  const [ipv4, ipv6] = await Promise.all([readText(sys, IPV4), readText(sys, IPV6)]);
  return [
    ...(hasIpv4Default(ipv4 ?? '') ? (['IPv4'] as const) : []),
    ...(hasIpv6Default(ipv6 ?? '') ? (['IPv6'] as const) : []),
  ];
}

/** hasIpv4Default reads /proc/net/route: Iface, Destination, Gateway, Flags, …; numbers are hexadecimal. */
export function hasIpv4Default(text: string): boolean {
  return text.split('\n').some((line) => {
    const [, destination, , flags = '', , , , mask] = line.trim().split(/\s+/);
    const bits = Number.parseInt(flags, 16);
    return destination === '00000000' && mask === '00000000' && (bits & UP) !== 0 && (bits & GATEWAY) !== 0;
  });
}

/** hasIpv6Default reads /proc/net/ipv6_route: destination, its prefix, source, its prefix, next hop, metric, …, flags, device. */
export function hasIpv6Default(text: string): boolean {
  return text.split('\n').some((line) => {
    const [destination, prefix, , , , , , , flags = ''] = line.trim().split(/\s+/);
    const bits = Number.parseInt(flags, 16);
    return (
      /^0{32}$/.test(destination ?? '') && prefix === '00' && (bits & UP) !== 0 && (bits & GATEWAY) !== 0
    );
  });
}

/** defaultRouteCheck: a node that had a way out has it again. @param before families that had a default route */
export function defaultRouteCheck(before: Baseline['defaultRoutes']): CheckSpec {
  return {
    id: 'default-route',
    expected:
      before.length === 0 ? 'as before: none' : `a default route for ${before.join(' and ')}, as before`,
    source: `${IPV4}, ${IPV6}`,
    cause: 'The network card has no driver in this version, or the router did not answer.',
    fix: 'Look at "plinth get network".',
    critical: true,
    observe: async (sys) => {
      const now = await defaultRoutes(sys);
      return passIf(
        before.every((family) => now.includes(family)),
        now.join(' and ') || 'none',
      );
    },
  };
}
