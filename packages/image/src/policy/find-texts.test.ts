import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findTexts } from './find-texts.ts';

test('findTexts finds what a search for each text alone finds', () => {
  // Few letters and short windows, so that texts repeat, overlap, contain each other and cross borders.
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'é'), minLength: 1, maxLength: 5 });
  const content = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'é', '\0'), maxLength: 60 });
  fc.assert(
    fc.property(
      content,
      fc.array(text, { maxLength: 6 }),
      fc.integer({ min: 1, max: 20 }),
      (all, texts, window) => {
        const bytes = Buffer.from(all);
        assert.deepEqual(
          findTexts(bytes, texts, window),
          texts.filter((each) => bytes.includes(each)),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

test('findTexts takes a text as it is, not as a pattern', () => {
  assert.deepEqual(findTexts(Buffer.from('a.c'), ['a.c', 'a?c', 'abc', 'a|c']), ['a.c']);
});
