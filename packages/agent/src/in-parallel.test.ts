import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inParallel } from './in-parallel.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('every item is worked on once, never more at a time than allowed, results in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(9), { maxLength: 30 }),
      fc.integer({ min: 1, max: 6 }),
      async (items, most) => {
        let under = 0;
        const results = await inParallel(items, most, async (turns) => {
          under++;
          assert.ok(under <= most);
          for (let waited = 0; waited < turns; waited++) await turn();
          under--;
          return turns * 2;
        });
        assert.deepEqual(
          results,
          items.map((turns) => turns * 2),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('a failure is thrown after what was under way, and nothing is begun after it', async () => {
  const log: string[] = [];
  const work = async (item: number) => {
    log.push(`begin ${item}`);
    await turn();
    if (item === 1) throw new Error('broken');
    await turn();
    log.push(`end ${item}`);
  };
  await assert.rejects(inParallel([0, 1, 2, 3], 2, work), /broken/);
  assert.deepEqual(log, ['begin 0', 'begin 1', 'end 0']);
});
