import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCidr } from '../../framework/ip.ts';
import { renderNetwork } from './render.ts';
import { type Network, networkSchema } from './schema.ts';

const imageHosts = readFileSync(new URL('../../../../../os/etc/hosts', import.meta.url), 'utf8');
const card = { mac: '52:54:00:0a:05:0b', addresses: ['10.5.0.11/24'], dns: [] };

function allText(network: Network): string {
  return renderNetwork(network)
    .map(({ text }) => text)
    .join('');
}

/** What a config with one card makes of a file. */
function textOf(entry: object, path: string): string {
  const files = renderNetwork(networkSchema.parse({ interfaces: [entry] }));
  return files.find((file) => file.path === path)?.text ?? assert.fail(`${path} is not rendered`);
}

test('renderNetwork gives a card its addresses and nothing that the network could add', () => {
  const lines = textOf(
    { ...card, addresses: ['10.5.0.11/24', 'fd00::b/64'], gateway: '10.5.0.1', dns: ['10.5.0.2'] },
    '/etc/systemd/network/20-plinth-5254000a050b.network',
  ).split('\n');
  for (const line of [
    ...['MACAddress=52:54:00:0a:05:0b', 'DHCP=no', 'IPv6AcceptRA=no', 'RequiredForOnline=no'],
    ...['Address=10.5.0.11/24', 'Address=fd00::b/64', 'Gateway=10.5.0.1', 'DNS=10.5.0.2'],
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

const refused: readonly (readonly [what: string, config: unknown, said: RegExp])[] = [
  ['an address without a prefix', { interfaces: [{ ...card, addresses: ['10.5.0.11'] }] }, /prefix length/],
  ['a prefix that is too long', { interfaces: [{ ...card, addresses: ['10.5.0.11/33'] }] }, /prefix length/],
  [
    'a second line in an address',
    { interfaces: [{ ...card, addresses: ['10.5.0.1/24\nDHCP=yes'] }] },
    /prefix/,
  ],
  ['no address', { interfaces: [{ ...card, addresses: [] }] }, /./],
  ['the address of a group of cards', { interfaces: [{ ...card, mac: '53:54:00:0a:05:0b' }] }, /one card/],
  ['a MAC address in capitals', { interfaces: [{ ...card, mac: '52:54:00:0A:05:0B' }] }, /one card/],
  ['a gateway elsewhere', { interfaces: [{ ...card, gateway: '10.6.0.1' }] }, /gateway inside/],
  ['a card twice', { interfaces: [card, card] }, /each mac once/],
  ['a name server by name', { interfaces: [{ ...card, dns: ['dns'] }] }, /IP address/],
  ['a key nobody knows', { interfaces: [{ ...card, mtuBytes: 1500 }] }, /./],
];
const bond = { name: 'bond0', members: ['52:54:00:0a:06:01'], mode: 'active-backup', dhcp: true };
const vlan = { name: 'vlan20', id: 20, parent: card.mac, addresses: ['10.20.0.11/24'] };
const refusedTogether: typeof refused = [
  ['a card with nothing to do', { interfaces: [{ mac: card.mac }] }, /nothing to do/],
  [
    'a card of a bond that is a card of its own',
    { interfaces: [card], bonds: [{ ...bond, members: [card.mac] }] },
    /no other bond/,
  ],
  ['a card in two bonds', { bonds: [bond, { ...bond, name: 'bond1' }] }, /no other bond/],
  ['a card twice in a bond', { bonds: [{ ...bond, members: [card.mac, card.mac] }] }, /no other bond/],
  ['a bond of no cards', { bonds: [{ ...bond, members: [] }] }, /./],
  ['an unknown mode', { bonds: [{ ...bond, mode: 'balance' }] }, /active-backup/],
  ['a VLAN on nothing', { vlans: [vlan] }, /MAC address of a card of "interfaces"/],
  [
    'a VLAN on a VLAN',
    {
      interfaces: [card],
      vlans: [vlan, { ...vlan, name: 'vlan21', parent: 'vlan20', addresses: ['10.21.0.1/24'] }],
    },
    /MAC address of a card/,
  ],
  [
    'a VLAN ID twice',
    { interfaces: [card], vlans: [vlan, { ...vlan, name: 'vlan21', addresses: ['10.21.0.1/24'] }] },
    /each ID once/,
  ],
  [
    'a VLAN with the name of a bond',
    { interfaces: [card], bonds: [bond], vlans: [{ ...vlan, name: 'bond0' }] },
    /no bond has/,
  ],
  [
    'a VLAN that carries more than its parent',
    { interfaces: [{ ...card, mtu: 1400 }], vlans: [{ ...vlan, mtu: 1500 }] },
    /parent carries: 1400/,
  ],
  ['a VLAN ID out of range', { interfaces: [card], vlans: [{ ...vlan, id: 4095 }] }, /4094/],
  ['a name of the pod network', { bonds: [{ ...bond, name: 'cni0' }] }, /pod network/],
  ['a name of a card', { bonds: [{ ...bond, name: 'enp1s0' }] }, /no card/],
  ['a name with a path', { bonds: [{ ...bond, name: '../x' }] }, /lower-case/],
  ['a name that is too long', { bonds: [{ ...bond, name: 'abcdefghijklmnop' }] }, /15/],
  [
    'an address on two links',
    { interfaces: [card], vlans: [{ ...vlan, addresses: card.addresses }] },
    /each address once/,
  ],
  [
    'an address twice in two spellings',
    { interfaces: [{ ...card, addresses: ['fd00::1/64', 'fd00:0::1/64'] }] },
    /each address once/,
  ],
  [
    'a route with host bits',
    { interfaces: [{ ...card, routes: [{ destination: '10.6.0.1/16', gateway: '10.5.0.1' }] }] },
    /behind its prefix/,
  ],
  [
    'a route over a router elsewhere',
    { interfaces: [{ ...card, routes: [{ destination: '10.6.0.0/16', gateway: '10.7.0.1' }] }] },
    /gateway inside/,
  ],
  [
    'a route of two families',
    { interfaces: [{ ...card, routes: [{ destination: '10.6.0.0/16', gateway: 'fe80::1' }] }] },
    /same family/,
  ],
  ['a search domain in two lines', { dns: { searchDomains: ['a.b\nDNS=1.1.1.1'] } }, /domain name/],
  ['a time server with a space', { ntp: { servers: ['a b'] } }, /domain name/],
  ['no time server', { ntp: { servers: [] } }, /./],
  ['localhost elsewhere', { hosts: [{ address: '10.5.0.1', names: ['localhost'] }] }, /localhost/],
  [
    'an address of hosts twice',
    {
      hosts: [
        { address: '10.5.0.1', names: ['a'] },
        { address: '10.5.0.1', names: ['b'] },
      ],
    },
    /each address once/,
  ],
  ['an MTU that IPv6 does not bear', { interfaces: [{ ...card, mtu: 1279 }] }, /1280/],
];
for (const [what, config, said] of [...refused, ...refusedTogether]) {
  test(`a network config with ${what} is refused`, () => {
    const result = networkSchema.safeParse(config);
    assert.ok(!result.success);
    assert.match(result.error.issues.map(({ message }) => message).join(), said);
  });
}

test('a gateway may be link-local, or inside the second network', () => {
  const addresses = ['10.5.0.11/24', 'fd00::b/64'];
  for (const gateway of ['fe80::1', 'fd00::1', '10.5.0.254'])
    assert.ok(networkSchema.safeParse({ interfaces: [{ ...card, addresses, gateway }] }).success, gateway);
});

test('no text that passes the schema adds a line to a file', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.ipV4(),
      fc.ipV6(),
      fc.nat(40),
      (text, four, six, length) => {
        for (const each of [text, `${four}/${length}`, `${six}/${length}`, `${four}/${length}${text}`]) {
          const result = networkSchema.safeParse({ interfaces: [{ ...card, addresses: [each], dns: [] }] });
          if (!result.success) continue;
          assert.ok(parseCidr(each));
          const written = allText(result.data);
          assert.equal(written.split('\n').filter((line) => line === `Address=${each}`).length, 1);
          assert.equal(
            written.split('\n').length,
            allText(networkSchema.parse({ interfaces: [card] })).split('\n').length,
          );
        }
      },
    ),
  );
});

test('renderNetwork makes a bond of its cards, and a VLAN on it', () => {
  const network = networkSchema.parse({
    bonds: [{ ...bond, mode: '802.3ad', members: ['52:54:00:0a:06:01', '52:54:00:0a:06:02'], mtu: 9000 }],
    vlans: [
      { ...vlan, parent: 'bond0', routes: [{ destination: '10.6.0.0/16', gateway: '10.20.0.1', metric: 5 }] },
    ],
  });
  const files = new Map(renderNetwork(network).map(({ path, text }) => [path, text.split('\n')]));
  assert.deepEqual(
    [...files.keys()].map((path) => path.replace('/etc/systemd/network/20-plinth-', '')).sort(),
    [
      '/etc/hosts',
      '5254000a0601.network',
      '5254000a0602.network',
      'bond0.netdev',
      'bond0.network',
      'vlan20.netdev',
      'vlan20.network',
    ],
  );
  const lines = (name: string) => files.get(`/etc/systemd/network/20-plinth-${name}`) ?? [];
  // The bond takes the address of its first card, by which the others would no longer be known.
  assert.ok(lines('5254000a0602.network').includes('PermanentMACAddress=52:54:00:0a:06:02'));
  assert.ok(lines('5254000a0602.network').includes('Bond=bond0'));
  for (const line of ['Kind=bond', 'MACAddress=52:54:00:0a:06:01', 'Mode=802.3ad'])
    assert.ok(lines('bond0.netdev').includes(line), line);
  for (const line of ['Name=bond0', 'DHCP=yes', 'IPv6AcceptRA=yes', 'VLAN=vlan20', 'MTUBytes=9000'])
    assert.ok(lines('bond0.network').includes(line), line);
  assert.ok(!lines('bond0.network').includes('ConfigureWithoutCarrier=yes'));
  assert.ok(lines('vlan20.netdev').includes('Id=20'));
  assert.deepEqual(lines('vlan20.network').slice(-5), [
    '[Route]',
    'Destination=10.6.0.0/16',
    'Gateway=10.20.0.1',
    'Metric=5',
    '',
  ]);
});

test('names go to systemd-resolved, systemd-timesyncd and /etc/hosts', () => {
  const network = networkSchema.parse({
    dns: { servers: ['10.5.0.2', 'fd00::2'], searchDomains: ['example.com', 'b.example.com'] },
    ntp: { servers: ['ntp.example.com', '10.5.0.4'] },
    hosts: [{ address: '10.5.0.40', names: ['registry.example.com', 'registry'] }],
  });
  assert.deepEqual(
    renderNetwork(network).map(({ path, text }) => [path, text]),
    [
      [
        '/etc/systemd/resolved.conf.d/20-plinth.conf',
        '[Resolve]\nDNS=10.5.0.2 fd00::2\nDomains=example.com b.example.com\n',
      ],
      ['/etc/systemd/timesyncd.conf.d/20-plinth.conf', '[Time]\nNTP=ntp.example.com 10.5.0.4\n'],
      ['/etc/hosts', `${imageHosts}10.5.0.40 registry.example.com registry\n`],
    ],
  );
});

test('without names /etc/hosts is that of the image', () => {
  assert.deepEqual(
    renderNetwork(undefined).map(({ text }) => text),
    [imageHosts],
  );
});
