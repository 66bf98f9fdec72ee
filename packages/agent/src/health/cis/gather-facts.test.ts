import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDocument } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import { nodeSys } from '../../sys/node-sys.ts';
import type { Sys } from '../../sys/sys.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { type CisBenchmark, cisBenchmark } from './benchmark.ts';
import { evaluateCis } from './evaluate.ts';
import { gatherCisFacts } from './gather-facts.ts';

const API_SERVER = '/var/lib/plinth/kubernetes/api-server';
const manifest = (name: string, ...command: string[]) =>
  JSON.stringify({ kind: 'Pod', metadata: { name }, spec: { containers: [{ command }] } });
const machine = {
  files: {
    '/etc/kubernetes/manifests/etcd.yaml': manifest('etcd', 'etcd', '--client-cert-auth=true'),
    '/etc/kubernetes/manifests/notes.txt': 'no manifest',
    '/var/lib/kubelet/config.yaml': 'readOnlyPort: 0\n',
    [`${API_SERVER}/encryption.yaml`]:
      'resources:\n  - resources: [secrets]\n    providers: [{ secretbox: { keys: [{ name: a, secret: of-nobody }] } }]\n',
    '/etc/kubernetes/pki/ca.key': '',
    '/etc/kubernetes/pki/etcd/ca.key': '',
    '/proc/77/cmdline': '/usr/bin/kubelet\0--config=/var/lib/kubelet/config.yaml\0--node-ip=192.0.2.1\0',
  },
  programs: { '/usr/bin/systemctl show --no-pager --property=MainPID kubelet.service': 'MainPID=77\n' },
};
const path = new URL(
  '../../../../../os/kubernetes/tree/usr/share/plinth/kubernetes/cis.yaml',
  import.meta.url,
);
const shipped = readDocument(await readFile(path, 'utf8'), 'cis.yaml', cisBenchmark, 'config/invalid');
assert.ok(shipped.ok);
const benchmark: CisBenchmark = shipped.value;
const verdictOf = async (sys: Sys, id: string, role: 'control-plane' | 'worker' = 'control-plane') =>
  evaluateCis(benchmark, await gatherCisFacts(sys, role, benchmark)).find((one) => one.id === id);

test('gatherCisFacts reads flags, configuration and files, and keeps no secret', async () => {
  const facts = await gatherCisFacts(fakeSys(machine), 'control-plane', benchmark);
  assert.equal(facts.parts.get('etcd')?.get('client-cert-auth'), 'true');
  assert.deepEqual([...facts.parts.keys()], ['etcd']);
  assert.equal(facts.kubeletFlags?.get('node-ip'), '192.0.2.1');
  assert.deepEqual(facts.kubelet, { readOnlyPort: 0 });
  assert.equal(JSON.stringify([...facts.configs]).includes('of-nobody'), false);
  assert.deepEqual(
    [...facts.files.keys()].filter((name) => name.endsWith('.key')),
    ['/etc/kubernetes/pki/ca.key', '/etc/kubernetes/pki/etcd/ca.key'],
  );
  assert.equal((await verdictOf(fakeSys(machine), '1.2.28'))?.verdict, 'pass');
  assert.equal((await verdictOf(fakeSys(machine), '1.1.21'))?.verdict, 'pass');
  assert.equal((await verdictOf(fakeSys(machine), '2.2'))?.verdict, 'pass');
});

test('a worker is asked nothing that only a control plane has', async () => {
  const facts = await gatherCisFacts(fakeSys(machine), 'worker', benchmark);
  assert.deepEqual([facts.parts.size, facts.configs.size], [0, 0]);
  assert.ok(![...facts.files.keys()].some((name) => name.endsWith('.key')));
});

test('what may not be looked at is unknown, and a wrong mode fails', async () => {
  const open = { statuses: { '/etc/kubernetes/pki/etcd/ca.key': { mode: 0o644 } } };
  assert.equal((await verdictOf(fakeSys({ ...machine, ...open }), '1.1.21'))?.verdict, 'fail');
  for (const [place, id] of [
    ['/etc/kubernetes/pki/ca.key', '1.1.21'],
    ['/etc/kubernetes/pki/etcd', '1.1.21'],
    ['/etc/cni/net.d', '1.1.9'],
    ['/var/lib/kubelet/config.yaml', '4.1.9'],
  ] as const) {
    const found = await verdictOf(fakeSys({ ...machine, broken: { [place]: 'EACCES' } }), id);
    assert.deepEqual([found?.verdict, found?.reason], ['unknown', `${place} could not be looked at`]);
  }
});

test('nothing passes by what was not seen, and nothing throws', async () => {
  const facts = await gatherCisFacts(fakeSys({}), 'control-plane', benchmark);
  const results = evaluateCis(benchmark, facts);
  assert.ok(results.every(({ verdict }) => verdict !== 'fail'));
  assert.equal(facts.kubeletFlags, undefined);
});

test('status tells mode, owner and kind of a real file', async () => {
  const folder = await scratchFolder('status');
  mkdirSync(join(folder, 'inner'));
  writeFileSync(join(folder, 'file'), '');
  chmodSync(join(folder, 'file'), 0o640);
  const { mode, uid, kind } = await nodeSys().status(join(folder, 'file'));
  assert.deepEqual([mode, uid, kind], [0o640, process.getuid?.(), 'file']);
  assert.equal((await nodeSys().status(join(folder, 'inner'))).kind, 'folder');
  await assert.rejects(nodeSys().status(join(folder, 'none')), { code: 'ENOENT' });
});
