import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { fakeSys } from '../testing/fake-sys.ts';
import { networkFiles, openNetwork } from './apply-network.ts';
import { type NetworkConfig, networkConfig, parseCidr } from './network-config.ts';
import { isOurs, renderNetwork } from './render-network.ts';

const card = { mac: '52:54:00:0a:05:0b', addresses: ['10.5.0.11/24'], dns: [] };

test('renderNetwork gives a card its addresses and nothing that the network could add', () => {
  const files = renderNetwork({
    interfaces: [
      { ...card, addresses: ['10.5.0.11/24', 'fd00::b/64'], gateway: '10.5.0.1', dns: ['10.5.0.2'] },
    ],
  });
  assert.deepEqual([...files.keys()], ['20-plinth-5254000a050b.network']);
  const lines = (files.get('20-plinth-5254000a050b.network') ?? '').split('\n');
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
  ['a card twice', { interfaces: [card, card] }, /each card once/],
  ['a name server by name', { interfaces: [{ ...card, dns: ['dns'] }] }, /IP address/],
  ['a key nobody knows', { interfaces: [{ ...card, mtu: 1500 }] }, /./],
];
for (const [what, config, said] of refused) {
  test(`a network config with ${what} is refused`, () => {
    const result = networkConfig.safeParse(config);
    assert.ok(!result.success);
    assert.match(result.error.issues.map(({ message }) => message).join(), said);
  });
}

test('a gateway may be link-local, or inside the second network', () => {
  const addresses = ['10.5.0.11/24', 'fd00::b/64'];
  for (const gateway of ['fe80::1', 'fd00::1', '10.5.0.254'])
    assert.ok(networkConfig.safeParse({ interfaces: [{ ...card, addresses, gateway }] }).success, gateway);
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
          const result = networkConfig.safeParse({ interfaces: [{ ...card, addresses: [each], dns: [] }] });
          if (!result.success) continue;
          assert.ok(parseCidr(each));
          const written = [...renderNetwork(result.data).values()].join('');
          assert.equal(written.split('\n').filter((line) => line === `Address=${each}`).length, 1);
          assert.equal(
            written.split('\n').length,
            [...renderNetwork({ interfaces: [card] }).values()].join('').split('\n').length,
          );
        }
      },
    ),
  );
});

test('networkFiles writes files that all may read, and takes away those of ours whose card is gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-network-'));
  const umask = process.umask(0o077);
  try {
    await writeFile(join(folder, '20-plinth-000000000000.network'), '');
    await writeFile(join(folder, '50-other.network'), '');
    const files = renderNetwork({ interfaces: [card] });
    await networkFiles(folder).replace(files);
    await networkFiles(folder).replace(files);
    assert.deepEqual((await readdir(folder)).sort(), ['20-plinth-5254000a050b.network', '50-other.network']);
    const path = join(folder, '20-plinth-5254000a050b.network');
    assert.equal((await stat(path)).mode & 0o777, 0o644);
    assert.equal((await stat(folder)).mode & 0o777, 0o755);
    assert.equal(await readFile(path, 'utf8'), files.get('20-plinth-5254000a050b.network'));
    assert.ok(isOurs('20-plinth-5254000a050b.network') && !isOurs('50-other.network'));
  } finally {
    process.umask(umask);
    await rm(folder, { recursive: true });
  }
});

test('openNetwork tries again until systemd-networkd has taken the files, and then never more', async () => {
  const config: NetworkConfig = { interfaces: [card] };
  const calls: string[] = [];
  let answers = false;
  const sys = {
    ...fakeSys({}),
    run: async (program: string, args: readonly string[]) => {
      calls.push([program, ...args].join(' '));
      return { exitCode: answers ? 0 : 1, stdout: '', stderr: '' };
    },
  };
  const { settle } = openNetwork(sys, { replace: async () => {} }, config);
  await settle();
  await settle();
  answers = true;
  await settle();
  await settle();
  assert.deepEqual(
    calls,
    Array.from({ length: 3 }, () => '/usr/bin/networkctl reload'),
  );
});

test('openNetwork does nothing without a network config', async () => {
  const replace = async () => assert.fail('nothing is to be written');
  const { settle, check } = openNetwork(fakeSys({}), { replace }, undefined);
  await settle();
  assert.equal((await check.observe(fakeSys({}))).verdict, 'pass');
});

test('the check names the addresses the machine lacks, and why', async () => {
  const config: NetworkConfig = { interfaces: [{ ...card, addresses: ['10.5.0.11/24', 'fd00:0::b/64'] }] };
  const replace = async () => Promise.reject(new Error('EROFS: read-only'));
  const { settle, check } = openNetwork(fakeSys({}), { replace }, config);
  await settle();
  const one = await check.observe(fakeSys({ addresses: ['10.5.0.11'] }));
  assert.deepEqual([one.verdict, one.observed], ['fail', 'absent: fd00:0::b/64; EROFS: read-only']);
  assert.equal((await check.observe(fakeSys({ addresses: ['10.5.0.11', 'fd00::b'] }))).verdict, 'pass');
});
