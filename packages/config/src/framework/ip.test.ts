import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { contains, hostBitsOf, parseCidr, parseIp } from './ip.ts';

const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcdef:./F'.split('')), maxLength: 24 });

test('parseIp agrees with the system on what is an address', () => {
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    noise,
    fc.ipV6().map((ip) => ip.replace(/::|:/, '::')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const version = { ipv4: 4, ipv6: 6, none: 0 }[parseIp(text)?.family ?? 'none'];
      assert.equal(version, isIP(text));
    }),
    { numRuns: 2000 },
  );
  for (const text of ['::', '::1', '1::', '1:2:3:4:5:6:7::', '::ffff:1.2.3.4', '1:2:3:4:5:6:1.2.3.4'])
    assert.equal(parseIp(text)?.family, 'ipv6', text);
  for (const text of [
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8::',
    '01.2.3.4',
    'fe80::1%eth0',
    '1.2.3.4::',
  ])
    assert.equal(parseIp(text), undefined, text);
});

test('contains agrees with the system on what is in a network', () => {
  const pair = fc.oneof(
    fc.tuple(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 })),
    fc.tuple(fc.ipV6(), fc.ipV6(), fc.integer({ min: 1, max: 128 })),
  );
  fc.assert(
    fc.property(pair, ([network, ip, prefix]) => {
      const cidr = parseCidr(`${network}/${prefix}`);
      const parsed = parseIp(ip);
      assert.ok(cidr && parsed);
      const list = new BlockList();
      list.addSubnet(network, prefix, cidr.family);
      assert.equal(contains(cidr, parsed), list.check(ip, parsed.family));
      assert.ok(contains(cidr, parseIp(network) ?? parsed));
    }),
  );
});

test('parseCidr wants a prefix that fits', () => {
  assert.deepEqual(parseCidr('10.5.0.11/24'), { ip: '10.5.0.11', prefix: 24, family: 'ipv4' });
  for (const text of [
    '10.5.0.11',
    '10.5.0.11/33',
    '10.5.0.11/0',
    '10.5.0.11/024',
    'fd00::/129',
    '/24',
    '10.5.0.1/24\n',
  ])
    assert.equal(parseCidr(text), undefined, text);
  const network = parseCidr('10.5.0.0/24');
  assert.ok(network && hostBitsOf(network) === 0n);
});
