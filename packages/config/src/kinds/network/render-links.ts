import type { Bond, LinkSettings, NetworkInterface, Vlan } from './schema.ts';

/** A link that does not exist until it is made: what it is (systemd.netdev(5)), and what is set on it. */
interface MadeLink {
  readonly device: readonly string[];
  readonly network: readonly string[];
}

/** Links made on top of a card have its address too, and are not meant. */
const CARDS = ['Type=ether', 'Kind=!*'];

/** renderInterface is the systemd.network(5) file of a card. */
export function renderInterface(card: NetworkInterface, vlans: readonly string[]): readonly string[] {
  return ['[Match]', `MACAddress=${card.mac}`, ...CARDS, '', ...renderSettings(card, vlans)];
}

/** renderMember is the file of a card in a bond. The bond gives it another address, so it is known by its own. */
export function renderMember(mac: string, bond: string): readonly string[] {
  return [
    ...['[Match]', `PermanentMACAddress=${mac}`, ...CARDS, ''],
    ...['[Link]', 'RequiredForOnline=no', ''],
    ...['[Network]', `Bond=${bond}`],
  ];
}

/** renderBond makes a link of several cards. */
export function renderBond(bond: Bond, vlans: readonly string[]): MadeLink {
  return {
    device: [
      ...['[NetDev]', `Name=${bond.name}`, 'Kind=bond'],
      // Else it is made from the machine ID, and a switch or DHCP server that knows the card does not know the bond.
      `MACAddress=${bond.members[0]}`,
      '',
      ...['[Bond]', `Mode=${bond.mode}`, 'MIIMonitorSec=100ms'],
      ...(bond.mode === '802.3ad' ? ['TransmitHashPolicy=layer3+4'] : []),
    ],
    network: ['[Match]', `Name=${bond.name}`, 'Kind=bond', '', ...renderSettings(bond, vlans)],
  };
}

/** renderVlan makes a link for the packets of one tag. */
export function renderVlan(vlan: Vlan): MadeLink {
  return {
    device: ['[NetDev]', `Name=${vlan.name}`, 'Kind=vlan', '', '[VLAN]', `Id=${vlan.id}`],
    network: ['[Match]', `Name=${vlan.name}`, 'Kind=vlan', '', ...renderSettings(vlan, [])],
  };
}

function renderSettings(link: LinkSettings, vlans: readonly string[]): readonly string[] {
  const { addresses, dhcp, gateway, routes, dns, mtu } = link;
  return [
    '[Link]',
    // Nobody waits for a card that need not lead anywhere.
    'RequiredForOnline=no',
    ...(mtu === undefined ? [] : [`MTUBytes=${mtu}`]),
    '',
    '[Network]',
    `DHCP=${dhcp ? 'yes' : 'no'}`,
    `IPv6AcceptRA=${dhcp ? 'yes' : 'no'}`,
    'LinkLocalAddressing=ipv6',
    'LLMNR=no',
    'MulticastDNS=no',
    // Fixed addresses are there before the cable is, and stay when it goes: servers bind them at the start.
    ...(addresses.length > 0 ? ['ConfigureWithoutCarrier=yes'] : []),
    ...addresses.map((each) => `Address=${each}`),
    ...(gateway === undefined || addresses.length === 0 ? [] : [`Gateway=${gateway}`]),
    ...dns.map((each) => `DNS=${each}`),
    ...vlans.map((each) => `VLAN=${each}`),
    // Link-local: no address has to say that it is on this link.
    ...(gateway === undefined || addresses.length > 0
      ? []
      : ['', '[Route]', `Gateway=${gateway}`, 'GatewayOnLink=yes']),
    ...routes.flatMap(({ destination, gateway: via, metric }) => [
      ...['', '[Route]', `Destination=${destination}`, `Gateway=${via}`],
      ...(metric === undefined ? [] : [`Metric=${metric}`]),
    ]),
  ];
}
