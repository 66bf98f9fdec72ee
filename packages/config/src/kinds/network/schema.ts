import { z } from 'zod';
import { contains, parseCidr, parseIp } from '../../framework/ip.ts';
import type { DeepReadonly } from '../../framework/kind.ts';
import { keyed } from '../../framework/notes.ts';

const LIMITS = { interfaces: 16, addresses: 16, servers: 3 } as const;

const LINK_LOCAL = 'fe80::/10';

const mac = z
  .string()
  .regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, 'expected the MAC address of one card: 52:54:00:0a:05:0b');

const address = z.string().superRefine((text, context) => {
  if (!parseCidr(text))
    context.addIssue({ code: 'custom', message: 'expected an address with its prefix length: 10.5.0.11/24' });
});

const ip = z.string().refine((text) => parseIp(text) !== undefined, 'expected an IP address');

const networkInterface = z
  .strictObject({
    mac,
    addresses: z.array(address).min(1).max(LIMITS.addresses),
    gateway: ip.optional(),
    dns: z.array(ip).max(LIMITS.servers).default([]),
  })
  .superRefine(({ addresses, gateway }, context) => {
    if (gateway === undefined || isReachable(gateway, addresses)) return;
    const message = 'expected a gateway inside the network of one of the addresses, or a link-local one';
    context.addIssue({ code: 'custom', path: ['gateway'], message });
  });

/** Cards with fixed addresses. Every other card asks for one (DHCP). */
export const networkSchema = z.strictObject({
  interfaces: keyed(networkInterface, 'mac', LIMITS.interfaces)
    .default([])
    .describe('Cards with settings of their own. Every other card asks the network for its address (DHCP).'),
});

export type Network = DeepReadonly<z.infer<typeof networkSchema>>;
export type NetworkInterface = Network['interfaces'][number];

function isReachable(gateway: string, addresses: readonly string[]): boolean {
  const ip = parseIp(gateway);
  if (!ip) return false;
  return [LINK_LOCAL, ...addresses].some((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && contains(cidr, ip);
  });
}
