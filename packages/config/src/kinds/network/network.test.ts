import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCidr } from '../../framework/ip.ts';
import { renderNetwork } from './render.ts';
import { type Network, networkSchema } from './schema.ts';

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
for (const [what, config, said] of refused) {
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
