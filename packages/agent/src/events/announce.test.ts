import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announce } from './announce.ts';
import type { NewEvent } from './event-bus.ts';

test('announce says everything, and publishes news of config, machine and updates', () => {
  const lines: string[] = [];
  const events: NewEvent[] = [];
  const console = announce({ say: (line) => lines.push(line) }, { publish: (event) => events.push(event) });
  const said = [
    'config: revision 2 is confirmed',
    'api ready port=1',
    'machine: reboot asked for by a: x: y',
    'update: the node fell back from 1.1 to 1.0: it hung [update/boot-died]',
    'constructor: x',
  ];
  for (const line of said) console.say(line);
  assert.deepEqual(lines, said);
  assert.deepEqual(events, [
    { topic: 'config', subject: 'config', state: 'news', text: 'revision 2 is confirmed' },
    { topic: 'act', subject: 'machine', state: 'news', text: 'reboot asked for by a: x: y' },
    {
      ...{ topic: 'act', subject: 'update', state: 'news' },
      text: 'the node fell back from 1.1 to 1.0: it hung [update/boot-died]',
    },
  ]);
});
