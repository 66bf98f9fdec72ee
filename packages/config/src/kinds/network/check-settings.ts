import type { z } from 'zod';
import { type Cidr, contains, parseCidr, parseIp } from '../../framework/ip.ts';

/** The part of a link's settings that is checked as a whole. */
interface Settings {
  readonly addresses: readonly string[];
  readonly dhcp: boolean;
  readonly gateway?: string | undefined;
  readonly routes: readonly { readonly destination: string; readonly gateway: string }[];
}

const LINK_LOCAL: Cidr = { ip: 'fe80::', prefix: 10, family: 'ipv6' };

/** checkSettings holds the routers of a link against its addresses. */
export function checkSettings(
  { addresses, dhcp, gateway, routes }: Settings,
  context: z.RefinementCtx,
): void {
  const networks = [LINK_LOCAL, ...addresses.flatMap((text) => parseCidr(text) ?? [])];
  const tell = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const reached = (text: string) => {
    const ip = parseIp(text);
    // What is no address at all was told before.
    return ip === undefined || networks.some((network) => contains(network, ip));
  };
  if (gateway !== undefined && !reached(gateway))
    tell(['gateway'], 'expected a gateway inside the network of one of the addresses, or a link-local one');
  for (const [index, route] of routes.entries()) {
    // The network of an address that DHCP gives is not known here.
    if (!dhcp && !reached(route.gateway))
      tell(
        ['routes', index, 'gateway'],
        'expected a gateway inside the network of one of the addresses, or a link-local one',
      );
    const destination = parseCidr(route.destination)?.family;
    const family = parseIp(route.gateway)?.family;
    if (destination !== undefined && family !== undefined && destination !== family)
      tell(
        ['routes', index, 'gateway'],
        `expected a gateway of the same family as the destination: ${destination}`,
      );
  }
}
