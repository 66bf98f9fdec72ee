import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { hashTree, scanTree } from '../../scan-tree.ts';
import { collectFacts } from './collect-facts.ts';
import { diffFacts, isSameContent } from './diff-facts.ts';
import { parseListeners } from './find-units.ts';
import { formatFacts, parseFacts, type ReleaseFacts } from './release-facts.ts';

const SOCKET = '[Socket]\nListenStream=/run/a.sock\nListenDatagram = 514\n';

async function sample(): Promise<ReleaseFacts> {
  const rootDir = await mkdtemp(join(tmpdir(), 'plinth-facts-'));
  try {
    const units = join(rootDir, 'usr/lib/systemd/system');
    await mkdir(join(units, 'sockets.target.wants'), { recursive: true });
    await writeFile(join(units, 'a.socket'), SOCKET);
    await writeFile(join(units, 'b.socket'), '[Socket]\nListenStream=9090\n');
    await symlink('../a.socket', join(units, 'sockets.target.wants/a.socket'));
    await mkdir(join(rootDir, dirname('etc/x')));
    await writeFile(join(rootDir, 'etc/x'), 'x');
    await writeFile(join(rootDir, 'usr/lib/os-release'), 'ID=plinth\nPLINTH_EXECUTE=signed\n');
    const tree = await hashTree(await scanTree(rootDir, new Map([['/etc/x', 'base-files']])));
    const kernelConfig = '# comment\nCONFIG_SECURITY_IPE=y\n# CONFIG_KEXEC is not set\nCONFIG_LSM="a,b"\n';
    return await collectFacts({
      name: 'plinth',
      version: '1',
      packages: [],
      tree,
      kernelConfig,
      sizes: { root: 5 },
    });
  } finally {
    await rm(rootDir, { recursive: true });
  }
}

test('collectFacts: units, listeners, kernel options, files', async () => {
  const facts = await sample();
  assert.equal(facts.execute, 'signed');
  assert.deepEqual(facts.enabledUnits, ['a.socket sockets.target']);
  assert.deepEqual(
    facts.listeners.map(({ unit, kind, address, enabled }) => [unit, kind, address, enabled]),
    [
      ['a.socket', 'stream', '/run/a.sock', true],
      ['a.socket', 'datagram', '514', true],
      ['b.socket', 'stream', '9090', false],
    ],
  );
  assert.deepEqual(facts.kernelConfig, { SECURITY_IPE: 'y', LSM: 'a,b' });
  const file = facts.files.find(({ path }) => path === '/etc/x');
  assert.equal(file?.owner, 'base-files');
  assert.equal(file?.sha256, '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881');
});

test('parseListeners: an empty assignment clears all before it, names become words', () => {
  const text =
    'ListenDatagram=0\nListenStream=1\nListenStream=\nListenSequentialPacket=/run/c\nListenStream=2\n';
  const found = parseListeners('x.socket', text, true).map(({ kind, address }) => `${kind} ${address}`);
  assert.deepEqual(found, ['sequential-packet /run/c', 'stream 2']);
});

test('facts survive writing and reading', async () => {
  const facts = await sample();
  assert.deepEqual(parseFacts(formatFacts(facts), 'x'), facts);
  assert.throws(
    () => parseFacts('{"format": 2}', 'x.facts.json'),
    (error) => error instanceof PlinthError && error.code === 'release/facts-invalid',
  );
});

test('diffFacts names what is new, gone and changed, and setuid files apart', async () => {
  const from = await sample();
  const to: ReleaseFacts = {
    ...from,
    version: '2',
    packages: [{ name: 'crun', version: '1.21', source: 'crun', sourceVersion: '1.21' }],
    files: from.files.map((file) => (file.path === '/etc/x' ? { ...file, mode: 0o4755 } : file)),
    enabledUnits: [],
    kernelConfig: { SECURITY_IPE: 'm', LSM: 'a,b' },
    listeners: from.listeners.slice(0, 2),
    sizes: { root: 6 },
  };
  const diff = diffFacts(from, to);
  assert.deepEqual(diff.packages, [{ what: 'crun', to: '1.21' }]);
  assert.deepEqual(
    diff.files.map(({ what }) => what),
    ['/etc/x'],
  );
  assert.deepEqual(diff.units, [{ what: 'a.socket sockets.target', from: 'wanted by sockets.target' }]);
  assert.deepEqual(diff.kernelConfig, [{ what: 'SECURITY_IPE', from: 'y', to: 'm' }]);
  assert.deepEqual(diff.setuid, [{ what: '/etc/x', to: '4755' }]);
  assert.deepEqual(diff.ports, [{ what: '9090 (stream, b.socket)', from: 'not enabled' }]);
  assert.deepEqual(diff.sizes, [{ what: 'root', from: '5', to: '6' }]);
  assert.ok(isSameContent(diffFacts(from, { ...from, version: '3' })));
});

test('property: a diff read backwards is the diff of the releases swapped', () => {
  const packages = fc.uniqueArray(
    fc.record({ name: fc.constantFrom('a', 'b', 'c'), version: fc.constantFrom('1', '2') }),
    {
      selector: ({ name }) => name,
    },
  );
  const facts = packages.map(
    (list): ReleaseFacts => ({
      ...{ format: 1, name: 'plinth', version: '1', files: [], enabledUnits: [], listeners: [] },
      ...{ execute: 'audit', kernelConfig: {}, sizes: {} },
      packages: list.map((item) => ({ ...item, source: item.name, sourceVersion: item.version })),
    }),
  );
  fc.assert(
    fc.property(facts, facts, (a, b) => {
      const there = diffFacts(a, b).packages.map(({ what, from, to }) => [what, from, to]);
      const back = diffFacts(b, a).packages.map(({ what, from, to }) => [what, to, from]);
      assert.deepEqual(back, there);
    }),
  );
});
