import { defineKind, type Effect, type EffectOf } from '../../framework/kind.ts';
import { renderNetwork } from './render.ts';
import { networkSchema } from './schema.ts';

const NETWORKD: Effect = { kind: 'reload', unit: 'systemd-networkd.service' };
const REMADE: Effect = {
  kind: 'reboot',
  why: 'a bond or VLAN does not go before, and keeps the mode, cards, parent and ID it was made with',
};

/** A new bond or VLAN is made at once. */
const made: EffectOf = (from) => (from === undefined ? NETWORKD : REMADE);

/** What is set on a bond or VLAN is changed like on a card. */
const SETTINGS = ['addresses', 'dhcp', 'gateway', 'routes', 'dns', 'mtu'];
const settingsOf = (list: string) =>
  Object.fromEntries(SETTINGS.map((name) => [`${list}.${name}`, NETWORKD]));

export const networkKind = defineKind({
  kind: 'Network',
  property: 'network',
  count: 'at-most-one',
  summary: 'Cards, addresses, routes, name servers and time servers.',
  notes: [
    'The fields become files of systemd-networkd, systemd-resolved and systemd-timesyncd and lines of /etc/hosts, nothing else. Without a document of this kind every card asks the network for its address (DHCP).',
  ],
  schema: networkSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: Network
interfaces:
  - mac: 52:54:00:0a:05:0b
    addresses: [10.5.0.11/24, fd00:5::b/64]
    gateway: 10.5.0.1
    routes:
      - destination: 10.6.0.0/16
        gateway: 10.5.0.254
  - mac: 52:54:00:0a:05:0c
    dhcp: true
    mtu: 9000
bonds:
  - name: bond0
    members: ["52:54:00:0a:06:01", "52:54:00:0a:06:02"]
    mode: 802.3ad
    dhcp: true
vlans:
  - name: vlan20
    id: 20
    parent: bond0
    addresses: [10.20.0.11/24]
dns:
  servers: [10.5.0.2, 10.5.0.3]
  searchDomains: [example.com]
ntp:
  servers: [ntp.example.com]
hosts:
  - address: 10.5.0.40
    names: [registry.example.com]
`,
  render: renderNetwork,
  effects: {
    '': NETWORKD,
    bonds: made,
    vlans: made,
    ...settingsOf('bonds'),
    ...settingsOf('vlans'),
    dns: { kind: 'restart', unit: 'systemd-resolved.service' },
    ntp: { kind: 'restart', unit: 'systemd-timesyncd.service' },
    // systemd-resolved looks at the file at each question.
    hosts: { kind: 'live' },
  },
  reach: ['interfaces', 'bonds', 'vlans', 'dns'],
});
