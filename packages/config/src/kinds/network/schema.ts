import { z } from 'zod';
import { hostBitsOf, parseCidr } from '../../framework/ip.ts';
import type { DeepReadonly } from '../../framework/kind.ts';
import { cidrAddress, domainName, ipAddress, serverName } from '../../framework/names.ts';
import { keyed } from '../../framework/notes.ts';
import { checkNetwork } from './check-network.ts';
import { checkSettings } from './check-settings.ts';

const LIMITS = {
  links: 16,
  addresses: 16,
  routes: 64,
  servers: 3,
  domains: 8,
  hosts: 256,
  names: 16,
} as const;

/** What IPv6 asks of every link, and what the widest cards carry. */
const MTU = { least: 1280, most: 9216 } as const;

/** Starts of names that belong to the kernel, to cards and to the pod network. */
const TAKEN = /^(?:lo$|all$|default$|eth|en|wl|ib|cni|veth|flannel|kube-|nodelocaldns|dummy|docker|tunl|sit)/;

const mac = z
  .string()
  .regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, 'expected the MAC address of one card: 52:54:00:0a:05:0b')
  .describe('MAC address of the card, in lower case.');

const linkName = z
  .string()
  .regex(
    /^[a-z][a-z0-9.-]{0,14}$/,
    'expected a name of at most 15 lower-case letters, digits, dots and hyphens',
  )
  .refine(
    (name) => !TAKEN.test(name),
    'expected a name that no card and no link of the pod network may have: bond0',
  );

const route = z.strictObject({
  destination: cidrAddress
    .refine((text) => {
      const cidr = parseCidr(text);
      return cidr === undefined || hostBitsOf(cidr) === 0n;
    }, 'expected the address of a network, with nothing behind its prefix: 10.6.0.0/16')
    .describe('The network that is reached this way.'),
  gateway: ipAddress.describe('The router, in the network of one of the addresses.'),
  metric: z
    .int()
    .min(1)
    .max(4294967295)
    .optional()
    .describe(
      'Of two routes to one network the one with the lower metric is used. Default: that of systemd-networkd.',
    ),
});

/** What a card, a bond and a VLAN have in common. */
const settings = {
  addresses: z
    .array(cidrAddress)
    .max(LIMITS.addresses)
    .default([])
    .describe('Fixed addresses, each with its prefix length.'),
  dhcp: z
    .boolean()
    .default(false)
    .describe(
      'Whether addresses, routes and name servers come from the network too (DHCPv4, DHCPv6, router advertisements).',
    ),
  gateway: ipAddress
    .optional()
    .describe(
      'The router for everything that no route leads to: in the network of one of the addresses, or link-local.',
    ),
  routes: z.array(route).max(LIMITS.routes).default([]).describe('Routes to networks behind other routers.'),
  dns: z
    .array(ipAddress)
    .max(LIMITS.servers)
    .default([])
    .describe('Name servers that are reached over this link.'),
  mtu: z
    .int()
    .min(MTU.least)
    .max(MTU.most)
    .optional()
    .describe('Largest packet in bytes. Default: what the driver says, for most cards 1500.'),
};

const networkInterface = z.strictObject({ mac, ...settings }).superRefine(checkSettings);

const bond = z
  .strictObject({
    name: linkName.describe('Name of the bond: bond0.'),
    members: z
      .array(mac)
      .min(1)
      .max(LIMITS.links)
      .describe('MAC addresses of the cards. The bond has the address of the first one.'),
    mode: z
      .enum(['active-backup', '802.3ad'])
      .describe(
        'active-backup: one card works, the others wait; 802.3ad: all work, and the switch speaks LACP.',
      ),
    ...settings,
  })
  .superRefine(checkSettings);

const vlan = z
  .strictObject({
    name: linkName.describe('Name of the VLAN: vlan20.'),
    id: z.int().min(1).max(4094).describe('VLAN ID, 1 to 4094.'),
    parent: z
      .string()
      .describe('What carries it: the MAC address of a card of "interfaces", or the name of a bond.'),
    ...settings,
  })
  .superRefine(checkSettings);

const hostEntry = z.strictObject({
  address: ipAddress.describe('The address.'),
  names: z
    .array(
      domainName.refine(
        (name) => name !== 'localhost',
        'expected another name: localhost is the node itself',
      ),
    )
    .min(1)
    .max(LIMITS.names)
    .describe('Its names; the first is the one that the address is resolved to.'),
});

/** Everything between the node and its network. */
export const networkSchema = z
  .strictObject({
    interfaces: keyed(networkInterface, 'mac', LIMITS.links)
      .default([])
      .describe(
        'Cards with settings of their own. A card that is neither here nor in a bond asks the network for its address.',
      ),
    bonds: keyed(bond, 'name', LIMITS.links).default([]).describe('Several cards as one link.'),
    vlans: keyed(vlan, 'name', LIMITS.links)
      .default([])
      .describe('Networks that share a card or bond, told apart by a tag (802.1Q).'),
    dns: z
      .strictObject({
        servers: z.array(ipAddress).max(LIMITS.servers).default([]).describe('Name servers for all names.'),
        searchDomains: z
          .array(domainName)
          .max(LIMITS.domains)
          .default([])
          .describe('Domains in which names without a dot are looked up.'),
      })
      .optional()
      .describe('Name servers of the whole node, asked beside those of single links and of DHCP.'),
    ntp: z
      .strictObject({
        servers: z.array(serverName).min(1).max(LIMITS.domains).describe('Names or addresses.'),
      })
      .optional()
      .describe('Time servers, asked beside those that DHCP names. Default: those of the image.'),
    hosts: keyed(hostEntry, 'address', LIMITS.hosts)
      .default([])
      .describe('Names that are known without a name server (/etc/hosts).'),
  })
  .superRefine(checkNetwork);

export type Network = DeepReadonly<z.infer<typeof networkSchema>>;
export type NetworkInterface = Network['interfaces'][number];
export type Bond = Network['bonds'][number];
export type Vlan = Network['vlans'][number];
/** What is set on any link. */
export type LinkSettings = Omit<NetworkInterface, 'mac'>;
