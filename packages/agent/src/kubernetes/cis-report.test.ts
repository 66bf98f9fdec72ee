import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Code } from '@connectrpc/connect';
import { CisVerdict } from '@plinth/api';
import { fakeSys } from '../testing/fake-sys.ts';
import { cisReport } from './cis-report.ts';
import { LAYER_SHARE } from './paths.ts';
import { fakeNode } from './testing/fake-node.ts';
import { as, failure, serve } from './testing/served.ts';

const path = `${LAYER_SHARE}/cis.yaml`;
const shipped = await readFile(
  new URL('../../../../os/kubernetes/tree/usr/share/plinth/kubernetes/cis.yaml', import.meta.url),
  'utf8',
);

test('cisReport judges by the benchmark of the layer', async () => {
  const files = { [path]: shipped, '/var/lib/kubelet/config.yaml': 'seccompDefault: true\n' };
  const { benchmark, results } = await cisReport(fakeSys({ files }), 'worker');
  assert.equal(benchmark, 'CIS Kubernetes Benchmark 1.12');
  const found = results.find(({ id }) => id === '4.2.14');
  assert.deepEqual([found?.verdict, found?.section], [CisVerdict.PASS, 'Kubelet']);
  assert.ok(results.every(({ id }) => id.startsWith('4.')));
});

test('cisReport refuses a layer without a sound benchmark', async () => {
  for (const files of [{}, { [path]: 'checks: []\n' }])
    await assert.rejects(cisReport(fakeSys({ files }), 'worker'), { code: 'kubernetes/layer-refused' });
});

test('a reader may ask for it, and a node of no cluster says so', async () => {
  const { client } = await serve(fakeNode());
  const said = await failure(client.getCis({}, as('plinth:reader')));
  assert.deepEqual([said.code, said.status], ['kubernetes/not-member', Code.FailedPrecondition]);
});
