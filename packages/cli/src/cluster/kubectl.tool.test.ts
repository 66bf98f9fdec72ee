import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeTree, run } from '@plinth/host';
import { findKubectl, runProgram } from '../flows/run-kubectl.ts';
import { mergeKubeconfig } from './kubeconfig.ts';

// The compiled kubectl, where this machine has it; compiling takes minutes and is not for a test to start.
const program = await findKubectl('1.37.1').catch(() => undefined);
const skip = program === undefined && 'kubectl is not compiled on this machine ("plinth kubernetes build")';

const made = JSON.stringify({
  'current-context': 'a',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': 'YQ==' } }],
  contexts: [{ name: 'a', context: { cluster: 'c', user: 'u' } }],
  users: [{ name: 'u', user: { 'client-certificate-data': 'YQ==', 'client-key-data': 'YQ==' } }],
});

test('kubectl understands a merged kubeconfig, with what was in it before', { skip }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-kubectl-'));
  try {
    const path = join(dir, 'config');
    const kubectl = async (...words: string[]) =>
      (await run(program ?? '', ['kubectl', '--kubeconfig', path, ...words], { env: { HOME: dir } })).stdout
        .toString()
        .trim();
    await writeFile(path, '');
    await kubectl('config', 'set-cluster', 'prod', '--server=https://192.0.2.1');
    await kubectl('config', 'set-context', 'prod', '--cluster=prod', '--namespace=web');
    const merged = mergeKubeconfig(await readFile(path, 'utf8'), made, 'local', path);
    await writeFile(path, merged);
    assert.equal(await kubectl('config', 'current-context'), 'plinth-local');
    const view = JSON.parse(await kubectl('config', 'view', '-o', 'json'));
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name).sort();
    assert.deepEqual(names(view.contexts), ['plinth-local', 'prod']);
    assert.deepEqual(names(view.clusters), ['plinth-local', 'prod']);
    assert.deepEqual(names(view.users), ['plinth-local']);
    await kubectl('config', 'use-context', 'prod');
    assert.equal(await kubectl('config', 'view', '--minify', '-o', 'jsonpath={..namespace}'), 'web');
  } finally {
    await removeTree(dir);
  }
});

test('the exit code of kubectl is passed on', { skip }, async () => {
  const env = { HOME: '/nonexistent', KUBECONFIG: '/nonexistent' };
  assert.equal(await runProgram(program ?? '', ['version', '--client'], env), 0);
  assert.equal(await runProgram(program ?? '', ['no-such-command'], env), 1);
});
