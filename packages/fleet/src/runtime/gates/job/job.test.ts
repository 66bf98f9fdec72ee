import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KubeConnection, KubeRequest } from '@plinth/kube';
import { askJob, outcomeOf } from './ask-job.ts';
import { type JobGate, jobNameOf, makeJob, slotOf } from './make-job.ts';

const gate: JobGate = {
  ...{ name: 'shop.smoke', uid: 'uid-1', generation: 2 },
  job: { configMap: 'smoke', every: '5m', timeout: '2m' },
};
const template = `
kind: Job
metadata: { name: theirs, namespace: theirs, labels: { app: smoke } }
spec:
  suspend: true
  selector: { matchLabels: { other: pods } }
  activeDeadlineSeconds: 3600
  template: { spec: { serviceAccountName: probe, containers: [{ name: a, image: b }] } }
`;
const SLOT_MS = 300_000;
const NOW_MS = 1000 * SLOT_MS + 5;

/** An API server that has Jobs and one ConfigMap. */
function cluster(text = template) {
  const jobs = new Map<string, object>();
  const made: string[] = [];
  const call = async ({ method, path, body }: KubeRequest) => {
    const name = path.split('/').at(-1) ?? '';
    const answer = (status: number, value: object) => ({
      ...{ status, text: JSON.stringify(value), retryAfterMs: undefined },
    });
    if (path.includes('/configmaps/')) return answer(200, { data: { 'job.yaml': text } });
    if (method === 'GET') return jobs.has(name) ? answer(200, jobs.get(name) ?? {}) : answer(404, {});
    const job = body as { metadata: { name: string } };
    made.push(job.metadata.name);
    jobs.set(job.metadata.name, job);
    return answer(201, job);
  };
  const connection = { call } as unknown as KubeConnection;
  const ask = (nowMs: number) =>
    askJob(gate, { connection, namespace: 'gates', nowMs: () => nowMs }, new AbortController().signal);
  const end = (name: string, type: string) =>
    jobs.set(name, { status: { conditions: [{ type, status: 'True', reason: 'BackoffLimitExceeded' }] } });
  return { jobs, made, ask, end };
}

suite('gates of Job', () => {
  test('a Job keeps what its template says, but for name, owner, end and who its pods are', () => {
    const job = makeJob(gate, 7, 'gates', template) as {
      metadata: { name: string; namespace: string; labels: object; ownerReferences: object[] };
      spec: { [key: string]: unknown; template: { spec: object } };
    };
    assert.deepEqual(job.metadata.name, jobNameOf(gate, 7));
    assert.match(job.metadata.name, /^gate-shop-smoke-[0-9a-f]{12}$/);
    assert.deepEqual(job.metadata.labels, { app: 'smoke', 'app.kubernetes.io/managed-by': 'plinth-fleet' });
    assert.equal(job.metadata.namespace, 'gates');
    const owner = { kind: 'HealthGate', name: 'shop.smoke', uid: 'uid-1' };
    assert.deepEqual(job.metadata.ownerReferences, [{ apiVersion: 'fleet.plinth.dev/v1alpha1', ...owner }]);
    assert.deepEqual(
      [job.spec['activeDeadlineSeconds'], job.spec['ttlSecondsAfterFinished'], job.spec['backoffLimit']],
      [120, 600, 0],
    );
    assert.ok(!('suspend' in job.spec) && !('selector' in job.spec));
    assert.deepEqual(job.spec.template.spec, {
      ...{ automountServiceAccountToken: false, serviceAccountName: 'probe', restartPolicy: 'Never' },
      containers: [{ name: 'a', image: 'b' }],
    });
  });

  test('a template that is no Job is refused, with what is wrong', () => {
    const refused = ['', 'kind: Pod', '{', 'a: &a [*a, *a]', `kind: Job\nspec: ${'x'.repeat(70_000)}`];
    for (const text of refused)
      assert.throws(
        () => makeJob(gate, 1, 'gates', text),
        { code: 'fleet/gate-template' },
        text.slice(0, 20),
      );
  });

  test('a run is made once in its time, by whichever operator asks first; until it ends the one before counts', async () => {
    const { made, ask, end } = cluster();
    assert.equal((await ask(NOW_MS)).reason.code, 'gate/running');
    assert.equal((await ask(NOW_MS + 15_000)).state, 'unknown');
    assert.deepEqual(made, [jobNameOf(gate, 1000)]);
    end(jobNameOf(gate, 1000), 'Complete');
    assert.equal((await ask(NOW_MS + 30_000)).state, 'pass');
    assert.equal((await ask(NOW_MS + SLOT_MS)).state, 'pass', 'the run before');
    assert.equal(made.length, 2);
    end(jobNameOf(gate, 1001), 'Failed');
    assert.equal((await ask(NOW_MS + SLOT_MS + 15_000)).state, 'fail');
    assert.equal((await ask(NOW_MS + 3 * SLOT_MS)).state, 'unknown', 'what ran long ago says nothing');
  });

  test('another time, gate, or change of the gate is another Job', () => {
    const names = [gate, { ...gate, uid: 'u2' }, { ...gate, generation: 3 }].map((each) =>
      jobNameOf(each, 1),
    );
    assert.equal(new Set([...names, jobNameOf(gate, 2)]).size, 4);
    assert.equal(slotOf(gate, NOW_MS), 1000);
    const long = jobNameOf({ ...gate, name: 'x'.repeat(253) }, 1);
    assert.ok(long.length <= 63, long);
  });

  test('a Job that has not ended says nothing', () => {
    const suspended = { status: { conditions: [{ type: 'Suspended', status: 'True' }] } };
    const notYet = { status: { conditions: [{ type: 'Failed', status: 'False' }] } };
    for (const job of [undefined, {}, suspended, notYet]) assert.equal(outcomeOf(job), undefined);
  });
});
