import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MUTANT_RUNS, RUNS } from './check.ts';
import { explore } from './explore.ts';

const LIMIT = 1_000_000;

suite('every order of steps of the protocol', () => {
  for (const { name, bounds, asksEnd } of RUNS)
    test(`${name}: no rule is broken, and the end stays in reach`, () => {
      const found = explore(bounds, { limit: LIMIT, asksEnd });
      assert.equal(found.violation, undefined, found.violation?.way.join('\n') ?? '');
      assert.deepEqual({ isCut: found.isCut, stuck: found.stuck }, { isCut: false, stuck: 0 });
    });

  const expected: Readonly<Record<string, string>> = {
    ...{ 'no-ledger': 'S13', flag: 'S6', 'cordon-bit': 'S7', 'no-fence': 'S4', 'yields-early': 'S5' },
    ...{ 'permits-early': 'S9', 'starts-in-switch': 'S9' },
  };
  for (const { name, bounds } of MUTANT_RUNS)
    test(`caught: ${name}`, () => {
      const { violation } = explore(bounds, { limit: LIMIT, asksEnd: false });
      assert.equal(violation?.rule.split(':')[0], expected[name]);
    });
});
