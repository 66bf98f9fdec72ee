import type { LinkSettings, Network } from './schema.ts';

/** linksOf are the settings of every card, bond and VLAN of a network. */
function linksOf(network: Network | undefined): readonly LinkSettings[] {
  return [...(network?.interfaces ?? []), ...(network?.bonds ?? []), ...(network?.vlans ?? [])];
}

/** fixedAddressesOf are the addresses, with prefix, that a node has to have. */
export function fixedAddressesOf(network: Network | undefined): readonly string[] {
  return linksOf(network).flatMap(({ addresses }) => addresses);
}

/** nameServersOf are the name servers that a config names, of single links and of the whole node. */
export function nameServersOf(network: Network | undefined): readonly string[] {
  return [...new Set([...linksOf(network).flatMap(({ dns }) => dns), ...(network?.dns?.servers ?? [])])];
}
