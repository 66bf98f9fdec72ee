import { randomUUID } from 'node:crypto';
import { messageOf } from '@plinth/base';
import type { StoredRollout } from '../../view/view.ts';

export interface WebhookParts {
  readonly urls: readonly string[];
  /** Names this cluster in what is sent. */
  readonly source: string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  say(text: string): void;
}

const TIMEOUT_MS = 10_000;
const TRIES = 3;
const WAITING_LIMIT = 100;

/** eventsOf are the CloudEvents between two states of a rollout; pure. */
function eventsOf(
  now: StoredRollout,
  before: StoredRollout | undefined,
): readonly { type: string; data: object }[] {
  const [status, old] = [now.status, before?.status];
  if (!status) return [];
  const data = {
    ...{ rollout: now.name, policy: now.spec.policy, release: now.spec.release, lane: now.spec.lane },
    ...{ phase: status.phase, wave: status.wave, counts: status.counts, halt: status.halt ?? null },
  };
  const said: { type: string; data: object }[] = [];
  if (!old) said.push({ type: 'dev.plinth.fleet.rollout.started', data });
  else if (old.phase !== status.phase)
    said.push({ type: `dev.plinth.fleet.rollout.${status.phase.toLowerCase()}`, data });
  if (old && status.wave > old.wave) said.push({ type: 'dev.plinth.fleet.rollout.wave', data });
  const known = new Set(old?.failures.map(({ node, at }) => `${node} ${at}`));
  for (const failure of status.failures)
    if (!known.has(`${failure.node} ${failure.at}`))
      said.push({ type: 'dev.plinth.fleet.node.failed', data: { ...data, failure } });
  return said;
}

/** openWebhooks sends CloudEvents (structured JSON) to whoever wants to know. They are told in their order, tried a few times, and then let fall. */
export function openWebhooks({ urls, source, nowMs, signal, say }: WebhookParts) {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  async function send(url: string, body: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const answer = await fetch(url, {
          ...{ method: 'POST', body, redirect: 'error' },
          headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
          signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        });
        await answer.body?.cancel();
        if (answer.ok) return;
        throw new Error(`status ${answer.status}`);
      } catch (reason) {
        if (signal.aborted || tries >= TRIES) {
          // An address may hold a token.
          say(`webhook ${new URL(url).host}: ${messageOf(reason)}`);
          return;
        }
      }
    }
  }
  return {
    heard(now: StoredRollout | undefined, before: StoredRollout | undefined): void {
      if (!now || urls.length === 0) return;
      for (const { type, data } of eventsOf(now, before)) {
        const body = JSON.stringify({
          ...{ specversion: '1.0', id: randomUUID(), source, type, subject: now.name },
          ...{ time: new Date(nowMs()).toISOString(), datacontenttype: 'application/json', data },
        });
        if (waiting >= WAITING_LIMIT) return;
        waiting++;
        last = last.then(() => Promise.all(urls.map((url) => send(url, body)))).then(() => void waiting--);
      }
    },
  };
}
