import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const LIMITS = { interfaces: 16, addresses: 16, servers: 3 } as const;

const mac = z
  .string()
  .regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, 'expected the MAC address of one card: 52:54:00:0a:05:0b');

const address = z.string().superRefine((text, context) => {
  if (!parseCidr(text))
    context.addIssue({ code: 'custom', message: 'expected an address with its prefix length: 10.5.0.11/24' });
});

const ip = z.string().refine((text) => isIP(text) !== 0, 'expected an IP address');

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

/** The part `network` of a machine config: cards with fixed addresses. Every other card asks for one (DHCP). */
export const networkConfig = z.strictObject({
  interfaces: z
    .array(networkInterface)
    .max(LIMITS.interfaces)
    .superRefine((all, context) => {
      for (const [index, { mac: own }] of all.entries()) {
        if (all.findIndex((each) => each.mac === own) < index)
          context.addIssue({ code: 'custom', path: [index, 'mac'], message: 'expected each card once' });
      }
    }),
});

export type NetworkConfig = z.infer<typeof networkConfig>;
export type NetworkInterface = NetworkConfig['interfaces'][number];

/** parseCidr splits "10.5.0.11/24"; undefined when it is not an address with a prefix length. */
export function parseCidr(text: string): { ip: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [, host = '', length = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(host);
  const prefix = Number(length);
  if (version === 0 || prefix < 1 || prefix > (version === 4 ? 32 : 128)) return undefined;
  return { ip: host, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

function isReachable(gateway: string, addresses: readonly string[]): boolean {
  const family = isIP(gateway) === 4 ? 'ipv4' : 'ipv6';
  const networks = new BlockList();
  networks.addSubnet('fe80::', 10, 'ipv6');
  for (const text of addresses) {
    const cidr = parseCidr(text);
    if (cidr) networks.addSubnet(cidr.ip, cidr.prefix, cidr.family);
  }
  return networks.check(gateway, family);
}
