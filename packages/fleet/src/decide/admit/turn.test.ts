import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';
import type { EtcdView } from '../../view/view.ts';
import { decidePolicy } from '../policy.ts';
import { skewProblem } from './versions.ts';

const CONTROL_PLANES = 'control-planes.fleet.plinth.dev';
const QUICK = {
  waves: [{ upTo: '100%', soak: '0s' }],
  pace: { mode: 'Fastest' },
  topology: { domainsInFlight: 9 },
};

function etcdOf(names: readonly string[], leader = names[0]): EtcdView {
  const members = names.map((node) => ({
    node,
    isHealthy: true,
    isLearner: false,
    isLeader: node === leader,
  }));
  return { members, hasAlarm: false };
}

/** Three control planes and some workers, a policy each. */
function clusterOf(workers: number, waves: object = {}): ScriptedFleet {
  const fleet = new ScriptedFleet();
  const names = ['cp-0', 'cp-1', 'cp-2'];
  for (const name of names)
    fleet.addNode({ name, labels: { pool: 'cp', 'node-role.kubernetes.io/control-plane': '' } });
  for (let index = 0; index < workers; index += 1) fleet.addNode({ name: `node-${index}` });
  fleet.etcd = etcdOf(names);
  fleet.addPolicy('planes', {
    ...{
      ...QUICK,
      nodeSelector: { matchLabels: { pool: 'cp' } },
      role: 'ControlPlane',
      capacity: { maxUnavailable: 1 },
    },
  });
  fleet.addPolicy('workers', { ...QUICK, ...waves });
  return fleet;
}

function start(fleet: ScriptedFleet, release: string): void {
  for (const name of ['planes', 'workers']) fleet.setPolicy(name, { release });
}

/** Nodes in the order in which they got slots. */
function order(fleet: ScriptedFleet): string[] {
  const seen: string[] = [];
  for (const write of fleet.writes)
    if (write.do === 'ledger')
      for (const { node } of write.status.entries) if (!seen.includes(node)) seen.push(node);
  return seen;
}

suite('whose turn it is', () => {
  test('a system alone goes to 5 % of the workers before the control planes, followers before the leader', () => {
    const fleet = clusterOf(40);
    fleet.addRelease('2');
    start(fleet, '2');
    let most = 0;
    fleet.onLedger = ({ at, status }) => {
      if (at.name === CONTROL_PLANES) most = Math.max(most, status.entries.length);
    };
    assert.ok(fleet.until(() => order(fleet).length === 43));
    const names = order(fleet);
    const planes = names.filter((name) => name.startsWith('cp'));
    assert.ok(names.indexOf(planes[0] ?? '') >= 2, 'two of 40 workers are 5 %');
    assert.equal(planes.at(-1), 'cp-0', 'the leader of etcd goes last');
    assert.equal(most, 1);
  });

  test('another Kubernetes goes to all control planes before any worker (kubernetes#127316, kubespray#7821)', () => {
    const fleet = clusterOf(6);
    fleet.addRelease('2', { kubernetes: { version: 'v1.37.0', layerDigest: 'f'.repeat(64) } });
    start(fleet, '2');
    const upgraded = () => {
      for (const update of fleet.server.objects.nodeUpdate.values())
        if (update.status?.node?.osVersion === '2' && update.status.node.kubernetesVersion !== '1.37.0') {
          fleet.progress(update.name, { ...update.status.progress }, { kubernetesVersion: '1.37.0' });
          fleet.server.change('node', update.name, () => ({ kubeletVersion: 'v1.37.0' }));
        }
      return order(fleet).length === 9;
    };
    assert.ok(
      fleet.until(upgraded),
      JSON.stringify([...fleet.server.objects.rollout.values()].map((r) => r.status)),
    );
    assert.deepEqual(
      order(fleet)
        .slice(0, 3)
        .map((name) => name.slice(0, 2)),
      ['cp', 'cp', 'cp'],
    );
  });

  test('nothing of a control plane moves while etcd cannot be asked, or one is down (machine-api-operator PR#1066, S3)', () => {
    for (const etcd of [undefined, { ...etcdOf(['cp-0', 'cp-1', 'cp-2']), hasAlarm: true }]) {
      const fleet = clusterOf(0);
      fleet.etcd = etcd;
      fleet.addRelease('2');
      start(fleet, '2');
      for (let step = 0; step < 30; step += 1) fleet.step(60);
      assert.deepEqual(order(fleet), []);
    }
    const fleet = clusterOf(0);
    fleet.server.change('node', 'cp-1', () => ({ isReady: false, readySinceMs: 0 }));
    fleet.addRelease('2');
    start(fleet, '2');
    for (let step = 0; step < 200; step += 1) fleet.step(60);
    assert.deepEqual(order(fleet), [], 'a control plane that is gone for days is a voter still');
  });

  test('what etcd said before the last control plane came back, or long ago, is not gone by (S3)', () => {
    for (const agoMs of [0, 120_000]) {
      const fleet = clusterOf(0);
      fleet.addRelease('2');
      start(fleet, '2');
      const known = fleet.etcd;
      assert.ok(known);
      const until = () => {
        fleet.etcd = { ...known, askedAtMs: fleet.nowMs + 60_000 - agoMs };
        return order(fleet).length === 1;
      };
      assert.equal(fleet.until(until, { hours: 1 }), agoMs === 0);
      if (agoMs > 0) continue;
      const askedAtMs = fleet.nowMs;
      for (let step = 0; step < 60; step += 1) {
        fleet.etcd = { ...known, askedAtMs };
        fleet.step(60);
      }
      assert.equal(order(fleet).length, 1, 'nobody asked since the first one was through');
    }
  });

  test('two policies of control planes share one ledger: of two looks at the same moment one fails (S3, S13)', () => {
    const fleet = clusterOf(0);
    fleet.server.change('node', 'cp-2', ({ labels }) => ({ labels: { ...labels, pool: 'cp2' } }));
    fleet.addPolicy('others', {
      ...QUICK,
      nodeSelector: { matchLabels: { pool: 'cp2' } },
      role: 'ControlPlane',
      capacity: { maxUnavailable: 1, allowSingleNode: true },
    });
    fleet.addRelease('2');
    for (const name of ['planes', 'others']) fleet.setPolicy(name, { release: '2' });
    let most = 0;
    fleet.onLedger = ({ status }) => {
      most = Math.max(most, status.entries.length);
    };
    assert.ok(fleet.until(() => order(fleet).length === 3));
    assert.equal(most, 1);
  });

  test('among pools the lower priority goes first', () => {
    const fleet = clusterOf(4);
    for (let index = 0; index < 4; index += 1)
      fleet.addNode({ name: `late-${index}`, labels: { pool: 'b' } });
    fleet.addPolicy('late', {
      ...QUICK,
      nodeSelector: { matchLabels: { pool: 'b' } },
      priority: 200,
      release: '2',
    });
    fleet.addRelease('2');
    fleet.setPolicy('workers', { release: '2' });
    assert.ok(fleet.until(() => order(fleet).length === 8));
    assert.ok(
      order(fleet)
        .slice(0, 4)
        .every((name) => name.startsWith('node')),
    );
  });

  test('the node of the leading operator goes last', () => {
    const fleet = clusterOf(8);
    fleet.extra = { leaderNode: 'node-3' };
    fleet.addRelease('2');
    fleet.setPolicy('workers', { release: '2' });
    assert.ok(fleet.until(() => order(fleet).length === 8));
    assert.equal(order(fleet).at(-1), 'node-3');
  });
});

suite('versions of Kubernetes (S8)', () => {
  const problem = (
    version: string,
    role: 'Worker' | 'ControlPlane',
    change: (fleet: ScriptedFleet) => void = () => undefined,
  ) => {
    const fleet = clusterOf(2);
    fleet.addRelease('k', { kubernetes: { version, layerDigest: 'f'.repeat(64) } });
    change(fleet);
    const view = fleet.view();
    const release = view.releases.get('k');
    assert.ok(release);
    return skewProblem(view, release, role);
  };

  test('a kubelet is never newer than the oldest API server, nor more than three minor versions older', () => {
    assert.equal(problem('v1.36.4', 'Worker'), undefined);
    assert.equal(problem('v1.33.0', 'Worker'), undefined);
    assert.match(problem('v1.36.5', 'Worker') ?? '', /newer/);
    assert.match(problem('v1.32.9', 'Worker') ?? '', /older/);
    assert.match(
      problem('v1.36.4', 'Worker', (fleet) =>
        fleet.server.change('node', 'cp-1', () => ({ kubeletVersion: 'v1.35.1' })),
      ) ?? '',
      /newer than the oldest API server \(1\.35\.1\)/,
    );
  });

  test('control planes skip no minor version, go back none, and leave no kubelet behind', () => {
    assert.equal(problem('v1.37.0', 'ControlPlane'), undefined);
    assert.match(problem('v1.38.0', 'ControlPlane') ?? '', /skip/);
    assert.match(problem('v1.35.9', 'ControlPlane') ?? '', /go back/);
    assert.match(
      problem('v1.37.0', 'ControlPlane', (fleet) =>
        fleet.server.change('node', 'node-1', () => ({ kubeletVersion: 'v1.33.9' })),
      ) ?? '',
      /node-1/,
    );
  });

  test('where nobody can tell a version nothing is begun', () => {
    assert.match(
      problem('v1.36.4', 'Worker', (fleet) => {
        for (const name of ['cp-0', 'cp-1', 'cp-2']) fleet.server.remove('node', name);
      }) ?? '',
      /not known/,
    );
    assert.match(
      problem('v1.36.4', 'Worker', (fleet) =>
        fleet.server.change('node', 'cp-0', () => ({ kubeletVersion: '' })),
      ) ?? '',
      /not known/,
    );
  });
});

suite('what is not decided', () => {
  test('a node of two policies is touched by neither, and both say so', () => {
    const fleet = clusterOf(4);
    fleet.addPolicy('more', { ...QUICK, nodeSelector: { matchLabels: { pool: 'a' } }, release: '2' });
    fleet.addRelease('2');
    fleet.setPolicy('workers', { release: '2' });
    for (let step = 0; step < 10; step += 1) fleet.step(60);
    assert.deepEqual(order(fleet), []);
    for (const name of ['workers', 'more']) {
      const conditions = fleet.server.objects.policy.get(name)?.status?.conditions ?? [];
      assert.equal(conditions.find(({ type }) => type === 'Conflict')?.status, 'True');
    }
  });

  test('nothing is written before all lists were read', () => {
    const fleet = clusterOf(4);
    fleet.addRelease('2');
    start(fleet, '2');
    assert.deepEqual(decidePolicy({ ...fleet.view(), isSynced: false }, 'workers').writes, []);
  });

  test('a node whose pods were not listed is not admitted, and is asked for', () => {
    const fleet = clusterOf(4);
    fleet.addRelease('2');
    start(fleet, '2');
    fleet.extra = { pods: new Map() };
    for (let step = 0; step < 10; step += 1) fleet.step(60);
    assert.deepEqual(order(fleet), []);
    assert.equal(decidePolicy(fleet.view(), 'workers').lookAtPods?.length, 4);
  });

  test('the same view gives the same decision, and nothing of the view is changed', () => {
    const fleet = clusterOf(20);
    fleet.addRelease('2');
    start(fleet, '2');
    fleet.until(() => order(fleet).length > 4, { step: 30 });
    const before = JSON.stringify([...fleet.server.objects.nodeUpdate]);
    const first = decidePolicy(fleet.view(), 'workers');
    assert.deepEqual(decidePolicy(fleet.view(), 'workers'), first);
    assert.equal(JSON.stringify([...fleet.server.objects.nodeUpdate]), before);
  });
});
