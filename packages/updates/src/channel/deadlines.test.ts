import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ChannelDeadlines, deadlinesFile, formatDeadlines, parseDeadlines } from './deadlines.ts';

const DEADLINES: ChannelDeadlines = {
  ...{ format: 1, name: 'plinth', channel: 'stable' },
  deadlines: [{ version: '1.2', by: '2026-12-01T00:00:00Z', reason: 'CVE-2026-0001 is used' }],
};

const deadlines = fc
  .uniqueArray(
    fc.record({
      version: fc.stringMatching(/^[0-9][0-9a-z.~]{0,12}$/),
      by: fc
        .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
        .map((date) => date.toISOString()),
      reason: fc.stringMatching(/^[ -~]{1,60}$/),
    }),
    { maxLength: 8, selector: ({ version }) => version },
  )
  .map((list): ChannelDeadlines => ({ ...DEADLINES, deadlines: list.map((each) => ({ ...each })) }));

test('what is formatted is read back, and the same deadlines give the same bytes', () => {
  fc.assert(
    fc.property(deadlines, (each) => {
      const text = formatDeadlines(each);
      assert.deepEqual(parseDeadlines(text, 'stable'), each);
      assert.equal(formatDeadlines(parseDeadlines(text, 'stable')), text);
    }),
  );
});

test('what is not of this channel, not whole or not a moment in UTC is refused', () => {
  const [one] = DEADLINES.deadlines;
  const bad: readonly (readonly [unknown, RegExp])[] = [
    ['{', /expected the deadlines of a channel/],
    [{ ...DEADLINES, channel: 'edge' }, /it says to be of edge/],
    [{ ...DEADLINES, more: 1 }, /more/],
    [{ ...DEADLINES, deadlines: [one, one] }, /version 1\.2 is there twice/],
    [{ ...DEADLINES, deadlines: [{ ...one, by: '2026-12-01' }] }, /by: expected a moment/],
    [{ ...DEADLINES, deadlines: [{ ...one, by: '2026-12-01T00:00:00+02:00' }] }, /by: expected a moment/],
    [{ ...DEADLINES, deadlines: [{ ...one, by: '2026-02-30T00:00:00Z' }] }, /by: expected a moment/],
    [{ ...DEADLINES, deadlines: [{ ...one, reason: 'two\nlines' }] }, /one line/],
    [' '.repeat(1024 * 1024 + 1), /at most 1048576 are read/],
  ];
  for (const [content, message] of bad)
    assert.throws(
      () => parseDeadlines(typeof content === 'string' ? content : JSON.stringify(content), 'stable'),
      { code: 'update/channel-invalid', message },
    );
});

test('its file is one level below channels/, as the keys for channels are delegated', () => {
  assert.equal(deadlinesFile('stable', 'ab'), 'channels/ab.stable.deadlines');
});
