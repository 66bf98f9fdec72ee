import type { NetworkConfig, NetworkInterface } from './network-config.ts';

/** Before 80-plinth.network, which asks for addresses on every card. */
const PREFIX = '20-plinth-';

/**
 * renderNetwork turns the config into files for systemd-networkd (systemd.network(5)), name to text. A card has one
 * file: its addresses, and nothing that the network could add.
 */
export function renderNetwork({ interfaces }: NetworkConfig): Map<string, string> {
  return new Map(interfaces.map((each) => [fileName(each), renderInterface(each)]));
}

/** isOurs tells whether a file was written by renderNetwork, so that one whose card is gone can be taken away. */
export function isOurs(name: string): boolean {
  return name.startsWith(PREFIX) && name.endsWith('.network');
}

function fileName({ mac }: NetworkInterface): string {
  return `${PREFIX}${mac.replaceAll(':', '')}.network`;
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
