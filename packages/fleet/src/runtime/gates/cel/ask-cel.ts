import { Worker } from 'node:worker_threads';
import { messageOf } from '@plinth/base';
import { type KubeConnection, type KubeRequest, parseStatus } from '@plinth/kube';
import type { GateSpec } from '../../../objects/index.ts';
import { type Answer, unknown } from '../answer.ts';
import type { CelQuestion } from './cel-worker.ts';

const OBJECT_LIMIT_BYTES = 1024 * 1024;
/** How long an expression may be at it, from when its thread is there. The libraries have no measure of cost: time and memory are it. */
const EVALUATION_MS = 2_000;
/** How long a thread may take to be there. */
const START_MS = 30_000;
const LIMITS = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8, stackSizeMb: 2 } as const;

/** celRequest is the one call that a gate of CEL makes; pure. */
export function celRequest({ apiVersion, resource, namespace, name }: NonNullable<GateSpec['cel']>) {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === '' ? '' : `/namespaces/${namespace}`;
  const path = `${group}${place}/${resource}/${encodeURIComponent(name)}`;
  return { method: 'GET', path, limitBytes: OBJECT_LIMIT_BYTES } as const satisfies KubeRequest;
}

/** openCelGates asks gates of CEL, one after the other: whatever they do, they have one thread between them. */
export function openCelGates(connection: KubeConnection, evaluationMs = EVALUATION_MS) {
  let last: Promise<unknown> = Promise.resolve();
  return async (spec: NonNullable<GateSpec['cel']>, signal: AbortSignal): Promise<Answer> => {
    const asked = celRequest(spec);
    const { status, text } = await connection.call(asked, signal);
    if (status !== 200)
      return unknown(
        status === 404 ? 'gate/no-object' : 'gate/not-asked',
        `${asked.path}: ${parseStatus(text).message || `status ${status}`}`,
      );
    const turn = last.then(() => evaluateApart({ expression: spec.expression, text }, evaluationMs));
    last = turn;
    return turn;
  };
}

/** evaluateApart asks in a thread that is ended when it is not done in time, or takes more memory than an answer is worth. */
export async function evaluateApart(question: CelQuestion, evaluationMs: number): Promise<Answer> {
  // The bundle of the image has the thread beside the operator, compiled.
  const file = import.meta.url.endsWith('.ts') ? './cel-worker.ts' : './cel-worker.mjs';
  const worker = new Worker(new URL(file, import.meta.url), {
    ...{ workerData: question, resourceLimits: LIMITS, env: {} },
  });
  const ended = Promise.withResolvers<Answer>();
  const late = (afterMs: number, what: string) =>
    setTimeout(() => ended.resolve(unknown('gate/not-asked', `the expression ${what}`)), afterMs);
  let timer = late(START_MS, 'could not be asked: its thread does not start');
  worker.on('message', (message: 'ready' | Answer) => {
    if (message !== 'ready') return ended.resolve(message);
    clearTimeout(timer);
    timer = late(evaluationMs, `was not done after ${evaluationMs} ms`);
  });
  worker.once('error', (reason) =>
    ended.resolve(unknown('gate/not-asked', `the expression: ${messageOf(reason)}`)),
  );
  worker.once('exit', () => ended.resolve(unknown('gate/not-asked', 'the expression has no answer')));
  try {
    return await ended.promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
