import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '@plinth/config';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { networkFiles, openNetwork } from './apply-network.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

/** A config whose one card has these addresses; without addresses it says nothing of the network. */
function configWith(addresses: readonly string[] = []) {
  const documents = [
    { kind: 'Machine', name: 'node-1' },
    { kind: 'ApiAccess', clientAuthorities: [authority.certificatePem] },
    ...(addresses.length === 0
      ? []
      : [{ kind: 'Network', interfaces: [{ mac: '52:54:00:0a:05:0b', addresses }] }]),
  ].map((document) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...document }));
  const parsed = parseConfig(Buffer.from(documents.join('\n---\n')), 'config.yaml');
  assert.ok(parsed.ok);
  return parsed.value;
}

test('networkFiles writes files that all may read, and takes away those of ours whose card is gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-network-'));
  const umask = process.umask(0o077);
  try {
    await writeFile(join(folder, '20-plinth-000000000000.network'), '');
    await writeFile(join(folder, '50-other.network'), '');
    const files = new Map([['20-plinth-5254000a050b.network', '[Match]\n']]);
    await networkFiles(folder).replace(files);
    await networkFiles(folder).replace(files);
    assert.deepEqual((await readdir(folder)).sort(), ['20-plinth-5254000a050b.network', '50-other.network']);
    const path = join(folder, '20-plinth-5254000a050b.network');
    assert.equal((await stat(path)).mode & 0o777, 0o644);
    assert.equal((await stat(folder)).mode & 0o777, 0o755);
    assert.equal(await readFile(path, 'utf8'), files.get('20-plinth-5254000a050b.network'));
  } finally {
    process.umask(umask);
    await rm(folder, { recursive: true });
  }
});

test('openNetwork tries again until systemd-networkd has taken the files, and then never more', async () => {
  const config = configWith(['10.5.0.11/24']);
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
  const { settle, check } = openNetwork(fakeSys({}), { replace }, configWith());
  await settle();
  assert.equal((await check.observe(fakeSys({}))).verdict, 'pass');
});

test('the check names the addresses the machine lacks, and why', async () => {
  const config = configWith(['10.5.0.11/24', 'fd00:0::b/64']);
  const replace = async () => Promise.reject(new Error('EROFS: read-only'));
  const { settle, check } = openNetwork(fakeSys({}), { replace }, config);
  await settle();
  const one = await check.observe(fakeSys({ addresses: ['10.5.0.11'] }));
  assert.deepEqual([one.verdict, one.observed], ['fail', 'absent: fd00:0::b/64; EROFS: read-only']);
  assert.equal((await check.observe(fakeSys({ addresses: ['10.5.0.11', 'fd00::b'] }))).verdict, 'pass');
});
