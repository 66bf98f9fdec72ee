import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { eventually } from '@plinth/host/testing';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';
import type { StoredRollout } from '../../view/view.ts';
import { openWebhooks } from './webhooks.ts';

interface CloudEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: string;
  readonly data: { readonly policy: string; readonly failure?: { readonly node: string } };
}

/** Who listens, and answers with what it is told to; the last answer is repeated. */
async function listen(context: TestContext, answers: readonly number[]) {
  const got: { type: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      got.push({ type: request.headers['content-type'], body });
      response.writeHead(answers[Math.min(got.length, answers.length) - 1] ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { got, url: `http://127.0.0.1:${port}/hook?token=secret` };
}

/** All states that the rollout of a fleet goes through, by the real decisions. */
function statesOf(fate: 'good' | 'fails'): readonly (StoredRollout | undefined)[] {
  const fleet = new ScriptedFleet();
  for (let index = 0; index < 10; index += 1) fleet.addNode({ name: `node-${index}` });
  fleet.addRelease('2');
  fleet.addPolicy('workers', {
    release: '2',
    waves: [
      { perClass: 1, soak: '0s' },
      { upTo: '100%', soak: '0s' },
    ],
  });
  fleet.script = { slotSeconds: 300, fate };
  const isOver = () => ['Complete', 'Halted'].includes(fleet.rollout('2')?.status?.phase ?? '');
  assert.ok(fleet.until(isOver));
  return fleet.server.history.flatMap(({ kind, object }) =>
    kind === 'rollout' ? [object as StoredRollout] : [],
  );
}

function open(urls: readonly string[], said: string[] = []) {
  const stop = new AbortController();
  const webhooks = openWebhooks({
    ...{
      urls,
      source: 'https://cluster.example.com',
      nowMs: () => Date.UTC(2026, 10, 1),
      signal: stop.signal,
    },
    say: (text) => void said.push(text),
  });
  return (states: readonly (StoredRollout | undefined)[]) => {
    for (const [index, now] of states.entries()) webhooks.heard(now, states[index - 1]);
  };
}

suite('CloudEvents of a rollout', () => {
  test('tell its start, its waves and its end, in their order, as the specification of CloudEvents has them', async (context) => {
    const { got, url } = await listen(context, [204]);
    open([url])(statesOf('good'));
    const isComplete = () => got.some(({ body }) => body.includes('rollout.complete'));
    await eventually(isComplete, { patienceMs: 30_000, everyMs: 5 });
    const events = got.map(({ body }) => JSON.parse(body) as CloudEvent);
    const types = events.map(({ type }) => type.replace('dev.plinth.fleet.', ''));
    assert.equal(types[0], 'rollout.started');
    assert.ok(types.includes('rollout.wave'), types.join());
    assert.equal(types.at(-1), 'rollout.complete');
    for (const { specversion, source, time, subject, datacontenttype, data } of events) {
      assert.deepEqual(
        [specversion, source, datacontenttype],
        ['1.0', 'https://cluster.example.com', 'application/json'],
      );
      assert.equal(time, '2026-11-01T00:00:00.000Z');
      assert.match(subject, /^workers/);
      assert.equal(data.policy, 'workers');
    }
    assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
    assert.deepEqual(
      new Set(got.map(({ type }) => type)),
      new Set(['application/cloudevents+json; charset=utf-8']),
    );
  });

  test('tell that it halted, and each node that failed once', async (context) => {
    const { got, url } = await listen(context, [204]);
    open([url])(statesOf('fails'));
    const isHalted = () => got.some(({ body }) => body.includes('rollout.halted'));
    await eventually(isHalted, { patienceMs: 30_000, everyMs: 5 });
    const failed = () =>
      got
        .map(({ body }) => JSON.parse(body) as CloudEvent)
        .flatMap(({ type, data }) => (type === 'dev.plinth.fleet.node.failed' ? [data.failure?.node] : []));
    await eventually(() => failed().length > 0, { patienceMs: 30_000, everyMs: 5 });
    assert.equal(new Set(failed()).size, failed().length);
  });

  test('are sent three times at most, and a receiver that refuses keeps none of the others waiting; what is said names no token', async (context) => {
    const refusing = await listen(context, [500]);
    const once = await listen(context, [503, 204]);
    const said: string[] = [];
    const begun = statesOf('good').find((state) => state?.status !== undefined);
    open([refusing.url, once.url], said)([begun]);
    const isSaid = () => said.length > 0 && once.got.length >= 2;
    await eventually(isSaid, { patienceMs: 30_000, everyMs: 5 });
    assert.deepEqual([refusing.got.length, once.got.length], [3, 2]);
    assert.match(said[0] ?? '', /^webhook 127\.0\.0\.1:\d+: status 500$/);
  });
});
