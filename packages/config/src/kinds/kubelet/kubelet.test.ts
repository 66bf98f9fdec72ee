import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { parseConfig } from '../../parse/parse-config.ts';
import { planConfig } from '../../plan/plan-config.ts';
import { renderConfig } from '../../render-config.ts';
import { problemsOf, readDocument } from '../../testing/read-kind.ts';
import { writeConfig } from '../../write-config.ts';
import { kubeletKind } from './kind.ts';
import { KUBELET_PATH } from './render.ts';
import type { Kubelet } from './schema.ts';

function document(kubelet: object): string {
  return JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', kind: 'Kubelet', ...kubelet });
}

function textOf(text: string): string | undefined {
  return renderConfig(readDocument(text)).find(({ path }) => path === KUBELET_PATH)?.text;
}

test('the example is written in the words of the kubelet, with every bound of eviction', () => {
  assert.deepEqual(parse(textOf(kubeletKind.example) ?? ''), {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    maxPods: 200,
    systemReserved: { cpu: '250m', memory: '512Mi' },
    evictionHard: {
      'memory.available': '200Mi',
      'nodefs.available': '10%',
      'nodefs.inodesFree': '5%',
      'imagefs.available': '15%',
      'imagefs.inodesFree': '5%',
    },
    imageGCHighThresholdPercent: 75,
    imageGCLowThresholdPercent: 60,
    shutdownGracePeriod: '2m',
  });
  assert.equal(textOf(document({})), undefined);
});

const wrong: readonly (readonly [what: string, kubelet: object, said: RegExp])[] = [
  ['who may ask it', { authentication: { anonymous: { enabled: true } } }, /unknown key "authentication"/],
  ['a misspelt key', { maxPod: 10 }, /did you mean "maxPods"/],
  ['more pods than addresses', { maxPods: 300 }, /<=250/],
  ['a time without a unit', { shutdownGracePeriod: '60' }, /length of time/],
  ['a time in parts', { shutdownGracePeriod: '1m30s' }, /length of time/],
  ['a time that is too long', { shutdownGracePeriod: '2h' }, /1s to 30m/],
  ['less time than critical pods have', { shutdownGracePeriod: '10s' }, /at least the 20s of critical pods/],
  ['more time for critical pods', { shutdownGracePeriodCriticalPods: '2m' }, /not 60s/],
  [
    'a low threshold above the high',
    { imageGCHighThresholdPercent: 70 },
    /from 70 % down to less, not to 80 %/,
  ],
  ['an image that goes before it may', { imageMaximumGCAge: '1m' }, /more than imageMinimumGCAge, 2m/],
  ['memory without a unit', { systemReserved: { memory: '512' } }, /binary unit/],
  ['a decimal unit', { systemReserved: { memory: '512M' } }, /binary unit/],
  ['a bound of nothing', { evictionHard: { 'nodefs.available': '0%' } }, /200Mi, 10%/],
  ['a signal that is none', { evictionHard: { 'memory.free': '1Gi' } }, /unknown key "memory.free"/],
  [
    'a role of its own',
    { labels: { 'node-role.kubernetes.io/master': '' } },
    /not for a node to give itself/,
  ],
  ['a label for isolation', { labels: { 'node-restriction.kubernetes.io/a': '' } }, /not for a node/],
  ['a label of Plinth', { labels: { 'plinth.dev/a': '' } }, /plinthd sets those/],
  ['a label without a name', { labels: { 'example.com/': '' } }, /name of a label/],
  ['a label with two slashes', { labels: { 'a/b/c': '' } }, /name of a label/],
  ['a value with a space', { labels: { disk: 'very fast' } }, /value of a label/],
  ['one file of a log', { containerLogMaxFiles: 1 }, />=2/],
];
for (const [what, kubelet, said] of wrong) {
  test(`a kubelet with ${what} is refused`, () => assert.match(problemsOf(document(kubelet)), said));
}

test('a change restarts the kubelet and nothing else', () => {
  const [before, after] = [{ maxPods: 100 }, { maxPods: 120 }].map((each) => readDocument(document(each)));
  assert.ok(before && after);
  const plan = planConfig(before, after);
  assert.deepEqual(plan.effects, [{ kind: 'restart', unit: 'kubelet.service' }]);
  assert.deepEqual(plan.files, [{ path: KUBELET_PATH, action: 'write' }]);
  assert.equal(plan.touchesNetwork, false);
});

test('labels are no setting of the kubelet, and need no restart', () => {
  const [before, after] = [{ disk: 'ssd' }, { disk: 'hdd', 'topology.kubernetes.io/zone': 'a' }].map(
    (labels) => readDocument(document({ labels })),
  );
  assert.ok(before && after);
  assert.equal(textOf(document({ labels: { disk: 'ssd' } })), undefined);
  const plan = planConfig(before, after);
  assert.deepEqual(plan.effects, [{ kind: 'live' }]);
  assert.deepEqual(plan.files, []);
});

const quantity = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom('Ki', 'Mi', 'Gi'))
  .map((all) => all.join(''));
const anyKubelet = fc.record(
  {
    maxPods: fc.integer({ min: 1, max: 250 }),
    podPidsLimit: fc.integer({ min: 128, max: 1_048_576 }),
    systemReserved: fc.record(
      { cpu: fc.constantFrom('1', '250m'), memory: quantity, 'ephemeral-storage': quantity },
      { requiredKeys: [], noNullPrototype: true },
    ),
    evictionHard: fc.record(
      { 'memory.available': quantity, 'nodefs.available': fc.constantFrom('10%', '0.5%', '99%') },
      { requiredKeys: [], noNullPrototype: true },
    ),
    imageMinimumGCAge: fc.constantFrom('1s', '5m', '24h'),
    containerLogMaxSize: quantity,
    containerLogMaxFiles: fc.integer({ min: 2, max: 100 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

test('every config of a kubelet is read, written and read again as the same', () => {
  fc.assert(
    fc.property(anyKubelet, (kubelet) => {
      const config = readDocument(document(kubelet));
      const again = parseConfig(Buffer.from(writeConfig(config)), 'again.yaml');
      assert.ok(again.ok);
      assert.deepEqual(again.value, config);
      const { evictionHard, ...rest } = kubelet as Kubelet;
      const text = textOf(document(kubelet));
      if (Object.keys(kubelet).length === 0) return assert.equal(text, undefined);
      const written = parse(text ?? '') as Record<string, unknown>;
      assert.deepEqual({ ...written, ...rest }, written);
      if (evictionHard)
        assert.deepEqual(
          { ...(written['evictionHard'] as object), ...evictionHard },
          written['evictionHard'],
        );
    }),
    { numRuns: 50 },
  );
});
