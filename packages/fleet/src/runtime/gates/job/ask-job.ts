import { askKube, type KubeConnection, statusError } from '@plinth/kube';
import { listOf, rawAt, textOf } from '../../../view/project/raw.ts';
import { type Answer, failed, passed, unknown } from '../answer.ts';
import { type JobGate, jobNameOf, makeJob, slotOf } from './make-job.ts';

export interface JobGatesParts {
  readonly connection: KubeConnection;
  /** Where Jobs and their templates are. */
  readonly namespace: string;
  readonly nowMs: () => number;
}

const ANSWER_LIMIT_BYTES = 1024 * 1024;

/**
 * askJob says how the last run of a gate ended, and makes the one that is due. What has run is read from the API server alone, so another
 * operator goes on from there. @throws kube/…, fleet/gate-template
 */
export async function askJob(gate: JobGate, parts: JobGatesParts, signal: AbortSignal): Promise<Answer> {
  const slot = slotOf(gate, parts.nowMs());
  const due = await readRun(gate, slot, parts, signal);
  if (due === undefined) await makeRun(gate, slot, parts, signal);
  return (
    outcomeOf(due) ??
    outcomeOf(await readRun(gate, slot - 1, parts, signal)) ??
    unknown('gate/running', 'its Job has not ended yet')
  );
}

/** outcomeOf is how a Job ended; undefined: it did not yet, or there is none. Pure. */
export function outcomeOf(job: unknown): Answer | undefined {
  const name = textOf(rawAt(job, 'metadata')['name']);
  for (const each of listOf(rawAt(job, 'status')['conditions'])) {
    const { type, status, reason, message } = rawAt(each);
    if (status !== 'True') continue;
    if (type === 'Complete') return passed(`Job ${name} is complete`);
    if (type === 'Failed') return failed(`Job ${name}: ${textOf(reason)}: ${textOf(message)}`);
  }
  return undefined;
}

const pathOf = (namespace: string) => `/apis/batch/v1/namespaces/${namespace}/jobs`;

async function readRun(gate: JobGate, slot: number, parts: JobGatesParts, signal: AbortSignal) {
  const path = `${pathOf(parts.namespace)}/${jobNameOf(gate, slot)}`;
  const asked = { method: 'GET', path, limitBytes: ANSWER_LIMIT_BYTES } as const;
  const answer = await parts.connection.call(asked, signal);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw statusError(asked, answer);
  return JSON.parse(answer.text) as unknown;
}

async function makeRun(gate: JobGate, slot: number, parts: JobGatesParts, signal: AbortSignal) {
  const { connection, namespace } = parts;
  const path = `/api/v1/namespaces/${namespace}/configmaps/${encodeURIComponent(gate.job.configMap)}`;
  const map = await askKube(connection, { method: 'GET', path, limitBytes: 2 * ANSWER_LIMIT_BYTES }, signal);
  const body = makeJob(gate, slot, namespace, textOf(rawAt(map, 'data')['job.yaml']));
  const asked = { method: 'POST', path: pathOf(namespace), body } as const;
  const answer = await connection.call(asked, signal);
  // Somebody made it at the same moment.
  if (answer.status !== 409 && answer.status >= 300) throw statusError(asked, answer);
}
