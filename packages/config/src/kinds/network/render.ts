import type { RenderedFile } from '../../framework/kind.ts';
import type { Network, NetworkInterface } from './schema.ts';

/** Before 80-plinth.network, which asks for addresses on every card. */
const PREFIX = '/etc/systemd/network/20-plinth-';

/**
 * renderNetwork turns the config into files for systemd-networkd (systemd.network(5)). A card has one file: its
 * addresses, and nothing that the network could add.
 */
export function renderNetwork(network: Network | undefined): readonly RenderedFile[] {
  return (network?.interfaces ?? []).map((each) => ({
    path: `${PREFIX}${each.mac.replaceAll(':', '')}.network`,
    mode: 0o644,
    text: renderInterface(each),
    secret: false,
  }));
}

function renderInterface({ mac, addresses, gateway, dns }: NetworkInterface): string {
  return [
    '[Match]',
    // Links made on top of a card have its address too, and are not meant.
    `MACAddress=${mac}`,
    'Type=ether',
    'Kind=!*',
    '',
    '[Link]',
    // Nobody waits for a card that need not lead anywhere.
    'RequiredForOnline=no',
    '',
    '[Network]',
    'DHCP=no',
    'IPv6AcceptRA=no',
    'LinkLocalAddressing=ipv6',
    'LLMNR=no',
    'MulticastDNS=no',
    // The addresses are there before the cable is, and stay when it goes: servers bind them at the start.
    'ConfigureWithoutCarrier=yes',
    ...addresses.map((each) => `Address=${each}`),
    ...(gateway === undefined ? [] : [`Gateway=${gateway}`]),
    ...dns.map((each) => `DNS=${each}`),
    '',
  ].join('\n');
}
