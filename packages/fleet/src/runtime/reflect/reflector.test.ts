import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { eventually } from '@plinth/host/testing';
import type { KubeConnection, KubeRequest } from '@plinth/kube';
import { projectNode } from '../../view/project/project-core.ts';
import { quantityOf } from '../../view/project/quantity.ts';
import { rawAt, textOf } from '../../view/project/raw.ts';
import { openReflector } from './reflector.ts';
import { watchLines } from './watch-lines.ts';

interface Thing {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}
const project = (raw: unknown): Thing | undefined => {
  const { name, uid, resourceVersion } = rawAt(raw, 'metadata');
  return name === 'bad'
    ? undefined
    : { name: textOf(name), uid: textOf(uid), resourceVersion: textOf(resourceVersion) };
};
const object = (name: string, version: number) => ({
  metadata: { name, uid: `u-${name}`, resourceVersion: String(version) },
});
const event = (type: string, name: string, version: number) => ({ type, object: object(name, version) });

/** An API server of scripted answers: lists and watches, each in their order; the last one is repeated. */
function scripted(lists: readonly object[], watches: readonly (readonly object[] | number)[]) {
  const asked: string[] = [];
  const take = <T>(all: readonly T[], index: number) => all[Math.min(index, all.length - 1)];
  let [listCount, watchCount] = [0, 0];
  const connection: KubeConnection = {
    server: new URL('https://192.0.2.1'),
    async call({ query = {} }: KubeRequest) {
      asked.push(`list ${query['continue'] ?? ''}`.trim());
      return { status: 200, text: JSON.stringify(take(lists, listCount++)), retryAfterMs: undefined };
    },
    async open({ query = {} }: KubeRequest) {
      asked.push(`watch ${query['sendInitialEvents'] ? 'with list' : query['resourceVersion']}`);
      const script = take(watches, watchCount++) ?? [];
      const lines =
        typeof script === 'number' ? [] : script.map((each) => Buffer.from(`${JSON.stringify(each)}\n`));
      const stream = Readable.from(lines);
      return Object.assign(stream, {
        statusCode: typeof script === 'number' ? script : 200,
        setTimeout: () => stream,
      }) as unknown as IncomingMessage;
    },
    [Symbol.dispose]: () => undefined,
  };
  return { connection, asked };
}

/** Runs a reflector until it has asked so often. */
async function reflect(
  lists: readonly object[],
  watches: readonly (readonly object[] | number)[],
  asks: number,
  isStreamed = false,
) {
  const { connection, asked } = scripted(lists, watches);
  const stop = new AbortController();
  const heard: string[] = [];
  const reflector = openReflector<Thing>(
    { path: '/things', key: ({ name }) => name, project, isStreamed },
    {
      connection,
      random: () => 0,
      say: () => undefined,
      wait: () => new Promise((resolve) => setImmediate(resolve)),
    },
    (key, now) => void heard.push(`${key} ${now?.resourceVersion ?? 'gone'}`),
  );
  const running = reflector.run(stop.signal);
  await eventually(() => asked.length >= asks, { patienceMs: 30_000, everyMs: 1 });
  stop.abort();
  await running;
  return { asked: asked.slice(0, asks), heard, reflector };
}

const page = (items: readonly object[], resourceVersion: string, next = '') => ({
  items,
  metadata: { resourceVersion, ...(next !== '' && { continue: next }) },
});

suite('reflector', () => {
  test('a list comes in pages, a watch goes on from its version, and the next from where that one ended', async () => {
    const lists = [page([object('a', 3)], '10', 'more'), page([object('b', 4)], '10')];
    const watches = [[event('MODIFIED', 'a', 12), event('BOOKMARK', '', 15)], []];
    const { asked, heard, reflector } = await reflect(lists, watches, 4);
    assert.deepEqual(asked, ['list', 'list more', 'watch 10', 'watch 15']);
    assert.deepEqual(heard, ['a 3', 'b 4', 'a 12']);
    assert.deepEqual([reflector.isSynced, reflector.lists], [true, 1]);
  });

  test('an API server that fails, or ends each watch at once, is asked ever less often, and never given up (client-node 1496, 1933)', async () => {
    const failing = { ...scripted([], []).connection, call: () => Promise.reject(new Error('refused')) };
    for (const connection of [failing, scripted([page([], '1')], [[]]).connection]) {
      const stop = new AbortController();
      const delays: number[] = [];
      const reflector = openReflector<Thing>(
        { path: '/things', key: ({ name }) => name, project },
        {
          ...{ connection, random: () => 1, say: () => undefined },
          async wait(delayMs) {
            delays.push(delayMs);
            if (delays.length === 12) stop.abort();
          },
        },
        () => undefined,
      );
      await reflector.run(stop.signal);
      assert.deepEqual(delays.slice(0, 4), [1_000, 2_000, 4_000, 8_000]);
      assert.equal(delays.at(-1), 30_000);
    }
  });

  test('an expired version leads to a new list, whether the status says it or an event', async () => {
    const lists = [page([object('a', 3)], '10'), page([object('b', 20)], '21')];
    const expired = {
      type: 'ERROR',
      object: { kind: 'Status', code: 410, message: 'too old resource version' },
    };
    for (const first of [[expired], 410] as const) {
      const { asked, heard } = await reflect(lists, [first, []], 4);
      assert.deepEqual(asked, ['list', 'watch 10', 'list', 'watch 21']);
      assert.deepEqual(heard, ['a 3', 'a gone', 'b 20']);
    }
  });

  test('a watch that breaks off loses nothing: it goes on from the last event (client-node 596: a silent watch)', async () => {
    const watches = [[event('ADDED', 'b', 11), event('DELETED', 'a', 12)], 500, []];
    const { asked, heard } = await reflect([page([object('a', 3)], '10')], watches, 4);
    assert.deepEqual(asked, ['list', 'watch 10', 'watch 12', 'watch 12']);
    assert.deepEqual(heard, ['a 3', 'b 11', 'a gone']);
  });

  const listEnd = (version: number) => ({
    type: 'BOOKMARK',
    object: {
      metadata: { resourceVersion: `${version}`, annotations: { 'k8s.io/initial-events-end': 'true' } },
    },
  });

  test('a list in the watch counts once it is whole, and not before; an expired version leads to another', async () => {
    const list = [event('ADDED', 'a', 3), event('ADDED', 'b', 4), event('DELETED', 'b', 9), listEnd(10)];
    const again = [event('ADDED', 'c', 20), listEnd(21)];
    const { asked, heard, reflector } = await reflect(
      [],
      [[...list, event('MODIFIED', 'a', 12)], 410, again, []],
      4,
      true,
    );
    assert.deepEqual(asked, ['watch with list', 'watch 12', 'watch with list', 'watch 21']);
    assert.deepEqual(heard, ['a 3', 'a 12', 'a gone', 'c 20']);
    assert.deepEqual([reflector.isSynced, reflector.lists], [true, 2]);
    const half = await reflect([], [[event('ADDED', 'a', 3)]], 2, true);
    assert.deepEqual([half.asked, half.heard], [['watch with list', 'watch with list'], []]);
    assert.equal(half.reflector.isSynced, false);
  });

  test('an API server that gives no list in a watch is asked for the list', async () => {
    for (const refusal of [400, 422]) {
      const { asked, heard } = await reflect([page([object('a', 3)], '10')], [refusal, []], 3, true);
      assert.deepEqual(asked, ['watch with list', 'list', 'watch 10']);
      assert.deepEqual(heard, ['a 3']);
    }
  });

  test('an object that cannot be read is left out and counted, and so it is until it can be', async () => {
    const { reflector } = await reflect([page([object('bad', 1), object('a', 2)], '5')], [[]], 2);
    assert.deepEqual([[...reflector.items.keys()], [...reflector.unreadable]], [['a'], ['bad']]);
  });
});

test('lines of a watch are whole however its bytes are cut; one that does not end is refused', async () => {
  const text = Buffer.from('{"ä":1}\n{"b":2}\n\n{"c');
  for (let at = 0; at <= text.length; at++) {
    const lines: string[] = [];
    for await (const line of watchLines(Readable.from([text.subarray(0, at), text.subarray(at)])))
      lines.push(line);
    assert.deepEqual(lines, ['{"ä":1}', '{"b":2}', '']);
  }
  const endless = Readable.from(Array.from({ length: 10 }, () => Buffer.alloc(1024 * 1024, 'x')));
  await assert.rejects(drain(watchLines(endless)), { code: 'kube/bad-answer' });
});

async function drain(lines: AsyncIterable<string>): Promise<void> {
  for await (const _ of lines);
}

test('a Node that lacks everything reads as one that is not ready', () => {
  const node = projectNode({ metadata: { name: 'n' } });
  assert.deepEqual([node.isReady, node.bootId, node.taints, node.allocatable.cpuMilli], [false, '', [], 0]);
});

test('quantities are read as Kubernetes writes them', () => {
  const read = ['250m', '1Gi', '2', '1e3', 3, '1.5k', 'x', '', undefined, '--1'].map(quantityOf);
  assert.deepEqual(read, [0.25, 2 ** 30, 2, 1000, 3, 1500, 0, 0, 0, 0]);
});
