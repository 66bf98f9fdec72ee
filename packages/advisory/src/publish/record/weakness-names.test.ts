import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedWeaknesses } from '../testing/oracles.ts';
import { opensslRecord } from '../testing/sample-records.ts';
import { weaknessNames, weaknessProblem } from './weakness-names.ts';

test('the list has the names that the OASIS validator asks for', async () => {
  assert.deepEqual(new Map([...weaknessNames()].sort()), new Map([...(await listedWeaknesses())].sort()));
});

test('a weakness by another name, or one that is not in the list, is a problem', () => {
  const weaknesses = (id: string, name: string) =>
    weaknessProblem({ ...opensslRecord, weaknesses: [{ id, name }] });
  assert.equal(weaknessProblem(opensslRecord), undefined);
  assert.match(weaknesses('CWE-125', 'Out of bounds') ?? '', /"Out-of-bounds Read"/);
  assert.match(weaknesses('CWE-999999', 'Something') ?? '', /CWE-999999 is not in the list/);
});
