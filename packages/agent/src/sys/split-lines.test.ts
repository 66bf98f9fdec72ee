import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_LIMIT_BYTES, splitLines } from './split-lines.ts';

async function* pieces(parts: readonly Uint8Array[]) {
  for (const part of parts) yield Buffer.from(part);
}

async function lines(parts: readonly Uint8Array[]): Promise<string[]> {
  const found: string[] = [];
  for await (const some of splitLines(pieces(parts))) found.push(...some);
  return found;
}

test('splitLines gives the same lines wherever the pieces are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }).map((line) => line.replaceAll('\n', ' '))),
      fc.array(fc.nat(20), { minLength: 1 }),
      fc.boolean(),
      async (wanted, cuts, ended) => {
        const text = wanted.join('\n') + (ended && wanted.length > 0 ? '\n' : '');
        const bytes = Buffer.from(text);
        const parts: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = (cuts[i % cuts.length] ?? 0) + 1;
          parts.push(bytes.subarray(at, at + size));
          at += size;
        }
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        assert.deepEqual(await lines(parts), expected);
      },
    ),
  );
});

test('splitLines cuts a line without end', async () => {
  const long = Buffer.alloc(LINE_LIMIT_BYTES * 3, 'a');
  assert.deepEqual(
    (await lines([long, long, Buffer.from('\nb')])).map(({ length }) => length),
    [LINE_LIMIT_BYTES, 1],
  );
});
