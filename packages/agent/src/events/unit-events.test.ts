import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fakeSys } from '../testing/fake-sys.ts';
import { openEvents } from './open-events.ts';
import { unitEvent } from './unit-events.ts';

const started = (unit: string) =>
  JSON.stringify({
    MESSAGE: `Started ${unit}.`,
    MESSAGE_ID: '39f53479d3a045ac8e11786248231fbf',
    UNIT: unit,
    __CURSOR: 'c',
  });

test('unitEvent reads what the service manager says of a unit, and nothing else', () => {
  assert.deepEqual(unitEvent(started('a.service')), {
    topic: 'unit',
    subject: 'a.service',
    state: 'started',
    text: 'Started a.service.',
  });
  assert.equal(unitEvent('{"MESSAGE":"x","MESSAGE_ID":"00","UNIT":"a.service"}'), undefined);
  assert.equal(unitEvent('{"MESSAGE":[1,2],"MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf"}'), undefined);
  fc.assert(fc.property(fc.string(), (noise) => assert.equal(unitEvent(noise), undefined)));
  fc.assert(fc.property(fc.json(), (noise) => assert.equal(unitEvent(noise), undefined)));
});

test('units are followed while somebody watches, and no longer', async () => {
  const asked: string[] = [];
  const ended: boolean[] = [];
  const sys = {
    ...fakeSys({}),
    async *stream(_program: string, args: readonly string[], signal: AbortSignal) {
      asked.push(args.at(-1) ?? '');
      const lines = Buffer.from(`${started('a.service')}\n${started('b.service')}\n`);
      // In pieces that end within a line.
      yield lines.subarray(0, 30);
      yield lines.subarray(30);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended.push(signal.aborted);
    },
  };
  const events = openEvents(sys, new AbortController().signal);
  const hangUp = new AbortController();
  const found: string[] = [];
  for await (const { event } of events.subscribe(hangUp.signal, 0)) {
    found.push(`${event.subject} ${event.state}`);
    if (found.length === 3) break;
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(found, ['plinthd started', 'a.service started', 'b.service started']);
  assert.deepEqual([asked, ended], [['_PID=1'], [true]]);
});
