import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { policySpec } from '../../objects/index.ts';
import type { BudgetView, PodView } from '../../view/view.ts';
import { packingOf } from './packing.ts';

const { drain } = policySpec.parse({ nodeSelector: { matchLabels: { a: 'b' } } });
const budget = (name: string, disruptionsAllowed: number, app = name): BudgetView => ({
  ...{ namespace: 'default', name, disruptionsAllowed },
  selector: { matchLabels: { app }, matchExpressions: [] },
});
let count = 0;
const pod = (app: string, change: Partial<PodView> = {}): PodView => {
  count += 1;
  return {
    ...{ namespace: 'default', name: `${app}-${count}`, uid: `${count}`, labels: { app }, annotations: {} },
    ...{
      controllerKind: 'ReplicaSet',
      phase: 'Running',
      isReady: true,
      isDeleting: false,
      hasEmptyDir: false,
    },
    graceSeconds: 30,
    ...change,
  };
};

suite('packing by disruption budgets', () => {
  test('nodes that want the same disruption are not taken together (machine-api-operator PR#1066)', () => {
    const packing = packingOf([budget('db', 1)], [], drain);
    assert.equal(packing.problem([pod('db')]), undefined);
    packing.take([pod('db')]);
    assert.match(
      packing.problem([pod('db')])?.text ?? '',
      /default\/db allows 1 disruption; nodes under way want 1, this one 1/,
    );
    assert.equal(packing.problem([pod('web')]), undefined);
  });

  test('what still has to go from nodes in flight counts, what has gone does not', () => {
    const flying = packingOf([budget('db', 1)], [[pod('db')]], drain);
    assert.equal(flying.problem([pod('db')])?.code, 'drain/disruption-budget');
    const gone = packingOf([budget('db', 1)], [[pod('db', { isDeleting: true })]], drain);
    assert.equal(gone.problem([pod('db')]), undefined);
  });

  test('a budget that allows none is known before the drain begins (upgrade-manager#122, brupop#594)', () => {
    const packing = packingOf([budget('db', 0)], [], drain);
    assert.match(packing.problem([pod('db')])?.text ?? '', /PodDisruptionBudget default\/db allows 0/);
  });

  test('alone with a budget one disruption suffices: pods of one node go one by one', () => {
    const packing = packingOf([budget('db', 1)], [], drain);
    assert.equal(packing.problem([pod('db'), pod('db'), pod('db')]), undefined);
  });

  test('two budgets on one pod would answer 500 for ever (kubernetes#75957)', () => {
    const packing = packingOf([budget('db', 5), budget('all', 5, 'db')], [], drain);
    assert.equal(packing.problem([pod('db')])?.code, 'drain/two-budgets');
  });

  test('pods that stay want nothing: daemons, static pods, finished ones', () => {
    const packing = packingOf([budget('db', 0)], [], drain);
    const pods = [
      pod('db', { controllerKind: 'DaemonSet' }),
      pod('db', { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      pod('db', { phase: 'Succeeded' }),
    ];
    assert.equal(packing.problem(pods), undefined);
    assert.equal(packing.heldPods(pods), 0);
  });

  test('a pod that nobody starts again blocks, unless the policy says otherwise (FLUO#196)', () => {
    const bare = [pod('x', { controllerKind: undefined })];
    assert.equal(packingOf([], [], drain).problem(bare)?.code, 'drain/unmanaged-pods');
    assert.equal(packingOf([], [], { ...drain, unmanagedPods: 'Evict' }).problem(bare), undefined);
  });
});
