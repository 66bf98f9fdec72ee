import type { z } from 'zod';
import { parseCidr, parseIp } from '../../framework/ip.ts';

/** The part of a network that is checked as a whole. */
interface Links {
  readonly interfaces: readonly (Link & { readonly mac: string })[];
  readonly bonds: readonly (Link & { readonly name: string; readonly members: readonly string[] })[];
  readonly vlans: readonly (Link & { readonly name: string; readonly id: number; readonly parent: string })[];
}

interface Link {
  readonly addresses: readonly string[];
  readonly dhcp: boolean;
  readonly mtu?: number | undefined;
}

/** What most drivers start with. */
const USUAL_MTU = 1500;

/** checkNetwork holds the links of a node against each other: what the one says of another has to be true. */
export function checkNetwork({ interfaces, bonds, vlans }: Links, context: z.RefinementCtx): void {
  const tell = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const parents = new Set(vlans.map(({ parent }) => parent));

  for (const [index, { mac, addresses, dhcp }] of interfaces.entries()) {
    if (addresses.length === 0 && !dhcp && !parents.has(mac))
      tell(
        ['interfaces', index],
        'a card with nothing to do, expected addresses, "dhcp: true" or a VLAN on it',
      );
  }

  const used = new Set(interfaces.map(({ mac }) => mac));
  for (const [index, { name, members, addresses, dhcp }] of bonds.entries()) {
    for (const [at, member] of members.entries()) {
      if (used.has(member))
        tell(
          ['bonds', index, 'members', at],
          'expected a card that is in no other bond and not in "interfaces"',
        );
      used.add(member);
    }
    if (addresses.length === 0 && !dhcp && !parents.has(name))
      tell(['bonds', index], 'a bond with nothing to do, expected addresses, "dhcp: true" or a VLAN on it');
  }

  const names = new Set(bonds.map(({ name }) => name));
  const tags = new Set<string>();
  for (const [index, { name, id, parent, addresses, dhcp, mtu }] of vlans.entries()) {
    const below = interfaces.find(({ mac }) => mac === parent) ?? bonds.find((each) => each.name === parent);
    if (!below)
      tell(
        ['vlans', index, 'parent'],
        'expected the MAC address of a card of "interfaces", or the name of a bond',
      );
    if (names.has(name)) tell(['vlans', index, 'name'], 'expected a name that no bond has');
    if (tags.has(`${parent} ${id}`)) tell(['vlans', index, 'id'], 'expected each ID once on a parent');
    tags.add(`${parent} ${id}`);
    if (addresses.length === 0 && !dhcp)
      tell(['vlans', index], 'a VLAN with nothing to do, expected addresses or "dhcp: true"');
    const most = below?.mtu ?? USUAL_MTU;
    if (mtu !== undefined && mtu > most)
      tell(['vlans', index, 'mtu'], `expected at most what its parent carries: ${most}`);
  }

  const seen = new Set<string>();
  for (const [list, links] of Object.entries({ interfaces, bonds, vlans })) {
    for (const [index, { addresses }] of links.entries()) {
      for (const [at, address] of addresses.entries()) {
        const one = spelling(address);
        if (seen.has(one)) tell([list, index, 'addresses', at], 'expected each address once');
        seen.add(one);
      }
    }
  }
}

/** One spelling for each address: IPv6 has many. */
function spelling(address: string): string {
  const ip = parseIp(parseCidr(address)?.ip ?? '');
  return ip ? `${ip.family} ${ip.bits}` : address;
}
