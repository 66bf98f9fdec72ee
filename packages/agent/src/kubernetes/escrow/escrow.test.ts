import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planGrants } from './grant-escrow.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/));

test('planGrants makes those who may write the members, and does nothing where they are', () => {
  fc.assert(
    fc.property(names, names, (members, granted) => {
      const { give, end } = planGrants(members, granted);
      const after = [...granted.filter((name) => !end.includes(name)), ...give];
      assert.deepEqual(after.sort(), [...members].sort());
      assert.deepEqual(planGrants(members, after), { give: [], end: [] });
    }),
  );
});
