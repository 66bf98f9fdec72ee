import { messageOf } from '@plinth/base';
import type { GateSpec } from '../../objects/index.ts';
import { listOf, rawAt } from '../../view/project/raw.ts';
import type { Stored } from '../../view/view.ts';
import { type Answer, failed, passed, unknown } from './answer.ts';
import { openCelGates } from './cel/ask-cel.ts';
import { askJob, type JobGatesParts } from './job/ask-job.ts';

/** Asks one gate. */
export type AskGate = (gate: Stored<GateSpec, never>, signal: AbortSignal) => Promise<Answer>;

const TIMEOUT_MS = 10_000;
const ANSWER_LIMIT_BYTES = 1024 * 1024;

/** openAskGate asks gates of all kinds. Whatever cannot be asked is "unknown", which holds back as a failure does. What it gives never throws. */
export function openAskGate(parts: JobGatesParts): AskGate {
  const askCel = openCelGates(parts.connection);
  return async ({ spec, ...gate }, signal) => {
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      if (spec.http) return await askHttp(spec.http, limit);
      if (spec.promql) return await askPrometheus(spec.promql, limit);
      if (spec.cel) return await askCel(spec.cel, limit);
      if (spec.job) return await askJob({ ...gate, job: spec.job }, parts, limit);
      return unknown('gate/not-asked', 'the gate has no question');
    } catch (reason) {
      return unknown('gate/not-asked', messageOf(reason));
    }
  };
}

async function askHttp({ url, status }: NonNullable<GateSpec['http']>, signal: AbortSignal): Promise<Answer> {
  const answer = await fetch(url, { redirect: 'error', signal });
  await answer.body?.cancel();
  return answer.status === status
    ? passed(`status ${status}`)
    : failed(`status ${answer.status}, expected ${status}`);
}

async function askPrometheus(
  { url, query, below, above }: NonNullable<GateSpec['promql']>,
  signal: AbortSignal,
): Promise<Answer> {
  const asked = new URL('api/v1/query', url.endsWith('/') ? url : `${url}/`);
  asked.searchParams.set('query', query);
  const answer = await fetch(asked, { redirect: 'error', signal });
  if (!answer.ok) return unknown('gate/not-asked', `Prometheus answers with status ${answer.status}`);
  return judgeSamples(JSON.parse(await limitedText(answer)) as unknown, below, above);
}

/** judgeSamples holds every sample of an answer against the thresholds; pure. No sample is no answer: a name may be misspelt. */
export function judgeSamples(answer: unknown, below: number | undefined, above: number | undefined): Answer {
  const data = rawAt(answer, 'data');
  if (rawAt(answer)['status'] !== 'success') return unknown('gate/not-asked', 'Prometheus has no answer');
  const pairs =
    data['resultType'] === 'scalar'
      ? [data['result']]
      : listOf(data['result']).map((each) => rawAt(each)['value']);
  const values = pairs.map((pair) => Number(listOf(pair)[1]));
  if (values.length === 0) return unknown('gate/no-sample', 'the query has no sample');
  if (values.some((value) => Number.isNaN(value))) return unknown('gate/no-number', 'a sample is no number');
  const bad = values.find(
    (value) => (below !== undefined && value >= below) || (above !== undefined && value <= above),
  );
  const wanted = [below === undefined ? '' : `below ${below}`, above === undefined ? '' : `above ${above}`];
  const text = wanted.filter((each) => each !== '').join(' and ');
  if (text === '') return unknown('gate/no-threshold', 'the gate has no threshold');
  return bad === undefined
    ? passed(`${values.length} samples are ${text}`)
    : failed(`a sample is ${bad}, expected ${text}`);
}

async function limitedText(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of answer.body ?? []) {
    sizeBytes += piece.length;
    if (sizeBytes > ANSWER_LIMIT_BYTES) throw new Error('the answer is too large');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
