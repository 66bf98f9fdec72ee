import { BlockList, isIPv4 } from 'node:net';
import { PlinthError } from '@plinth/base';
import type { KnownPeers, Peer } from './peers.ts';

/** What no other machine has: a record with such an address would lead the tunnel to this node's own services. */
const NO_PEER = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  NO_PEER.addSubnet(network, bits, 'ipv4');

/** Whether an address can be another machine's. */
export function isPeerAddress(address: string): boolean {
  return isIPv4(address) && !NO_PEER.check(address);
}

/**
 * findPeer gives the peer a tunnel may lead to: another member with an address that can be another machine's.
 * @throws tunnel/peer-unknown
 */
export function findPeer(
  name: string,
  { peers }: Pick<KnownPeers, 'peers'>,
  {
    nodeName,
    isAddress = isPeerAddress,
  }: { nodeName: string; isAddress?: ((address: string) => boolean) | undefined },
): Peer {
  const refuse = (state: string) =>
    new PlinthError(
      'tunnel/peer-unknown',
      `Cannot open a tunnel to ${JSON.stringify(name.slice(0, 80))}: ${state}, expected another member of the cluster`,
    );
  if (name === nodeName) throw refuse('it is this node');
  const peer = peers.find((one) => one.name === name);
  if (!peer) throw refuse(peers.length === 0 ? 'this node knows no peers' : 'this node knows no such peer');
  if (!isAddress(peer.address)) throw refuse('its address leads nowhere');
  return peer;
}
