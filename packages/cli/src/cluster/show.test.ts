import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthState, Verdict } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { type NodeHealth, showClusterHealth } from '../client/show-cluster-health.ts';
import { spareText } from '../client/show-etcd.ts';
import { renderBlocks } from '../output/blocks.ts';
import { createStyle } from '../output/style.ts';
import { type ClusterSummary, showCluster } from './cluster-summary.ts';
import { layerDrives, pickVersion } from './layers.ts';

const style = createStyle(false);
const text = (view: Parameters<typeof renderBlocks>[0]) => renderBlocks(view, { wide: false, style });

test('showCluster is the page that plinth up ends with', () => {
  const summary: ClusterSummary = {
    ...{ cluster: 'local', kubernetes: '1.37.1', imageVersion: '0.1.0', rootHash: 'ab', accelerator: 'kvm' },
    kubeconfig: '/state/kubeconfig',
    nodes: [
      {
        ...{ name: 'local-cp-1', role: 'control-plane', state: 'ready', version: '1.37.1' },
        ...{ address: '10.5.0.11', api: '127.0.0.1:40001' },
      },
      {
        ...{ name: 'local-worker-1', role: 'worker', state: 'not ready', version: '' },
        ...{ address: '10.5.0.101', api: '127.0.0.1:40002' },
      },
    ],
    phases: [
      { name: 'machines', durationMs: 40_000 },
      { name: 'bootstrap', durationMs: 30_000 },
    ],
  };
  assert.equal(
    text(showCluster(summary).view),
    `NAME            ROLE           STATE      VERSION  ADDRESS     API
local-cp-1      control-plane  ready      1.37.1   10.5.0.11   127.0.0.1:40001
local-worker-1  worker         not ready  <none>   10.5.0.101  127.0.0.1:40002

cluster     local (KVM)
kubernetes  1.37.1
image       plinth 0.1.0
kubeconfig  /state/kubeconfig
time        1m 10s
            machines 40 s
            bootstrap 30 s

Next:
  plinth kubectl get pods -A           nothing to install
  export KUBECONFIG=/state/kubeconfig  for your own kubectl
  plinth health                        every check of every node
`,
  );
});

const check = (id: string, verdict: Verdict) => ({
  $typeName: 'plinth.node.v1.Check' as const,
  ...{ id, verdict, observed: `\u001b[31m${id} seen`, expected: `${id} wanted` },
  ...{ cause: verdict === Verdict.FAIL ? 'a reason' : '', source: '', fix: `Mend ${id}.`, critical: false },
});
const nodeHealth = (name: string, state: HealthState, ...verdicts: readonly Verdict[]): NodeHealth => ({
  node: name,
  ok: true,
  value: {
    $typeName: 'plinth.node.v1.GetHealthResponse',
    state,
    checks: verdicts.map((verdict, index) => check(`check-${index}`, verdict)),
  },
});

test('showClusterHealth shows by node what does not pass, with cause and fix; unknown is never fine', () => {
  const nodes: NodeHealth[] = [
    nodeHealth('a', HealthState.HEALTHY, Verdict.PASS, Verdict.PASS),
    nodeHealth('b', HealthState.DEGRADED, Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN),
    { node: 'c', ok: false, error: new PlinthError('api/unreachable', 'Cannot connect', { hint: 'Look.' }) },
  ];
  const { view, exitCode } = showClusterHealth(nodes, style, true);
  // One could not be asked: a script learns that before it learns of faults.
  assert.equal(exitCode, 5);
  assert.equal(showClusterHealth(nodes.slice(0, 2), style, true).exitCode, 3);
  assert.equal(
    text(view),
    `NODE  STATE     PASS  OPEN
a     healthy      2     0
b     degraded     1     2
c     unknown      0     0

b
  fail  check-1: check-1 seen
    expected check-1 wanted
    because a reason
    Mend check-1.
  unknown  check-2: check-2 seen
    expected check-2 wanted
    Mend check-2.

c
  Cannot connect
    Look.
`,
  );
  assert.equal(showClusterHealth(nodes.slice(0, 1), style, true).exitCode, 0);
});

test('spareText: what the loss of one more member means', () => {
  assert.deepEqual([-1, 0, 1].map(spareText), [
    'etcd does not work: too few members answer',
    'none: one more and etcd stops',
    '1',
  ]);
});

test('pickVersion: the newest, a minor, or exactly one; layerDrives name them for the node', () => {
  const versions = ['1.37.2', '1.36.10', '1.36.9'];
  assert.equal(pickVersion(versions, undefined), '1.37.2');
  assert.equal(pickVersion(versions, '1.36'), '1.36.10');
  assert.equal(pickVersion(versions, '1.36.9'), '1.36.9');
  for (const wanted of ['1.3', '1.38', 'x']) {
    assert.throws(() => pickVersion(versions, wanted), { code: 'cluster/no-layer' });
  }
  assert.throws(() => pickVersion([], undefined), { code: 'cluster/no-layer' });
  const [drive] = layerDrives([{ version: '1.37.1', path: '/l' }]);
  assert.deepEqual([drive?.serial, drive?.readOnly], ['kubernetes-1.37.1', true]);
});
