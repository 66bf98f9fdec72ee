import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { MUTANT_RUNS, RUNS } from './check.ts';
import { explore } from './explore.ts';

const LIMIT = 1_000_000;
const PAGE = await readFile(
  new URL('../../../../docs/explanation/fleet-proof.md', import.meta.url).pathname,
  'utf8',
);

/** A number as the page writes it. */
const written = (count: number) => count.toLocaleString('en-US');

suite('every order of steps of the protocol', () => {
  for (const { name, bounds, asksEnd } of RUNS)
    test(`${name}: no rule is broken, the end stays in reach, and there are as many states as the page says`, () => {
      const found = explore(bounds, { limit: LIMIT, asksEnd });
      assert.equal(found.violation, undefined, found.violation?.way.join('\n') ?? '');
      assert.deepEqual({ isCut: found.isCut, stuck: found.stuck }, { isCut: false, stuck: 0 });
      const row = `| ${name} | ${written(found.states)} | ${written(found.steps)} |`;
      assert.ok(PAGE.includes(row), `docs/explanation/fleet-proof.md has no row "${row}"`);
    });

  for (const { name, bounds, rule } of MUTANT_RUNS)
    test(`caught: ${name}`, () => {
      const { violation } = explore(bounds, { limit: LIMIT, asksEnd: false });
      assert.equal(violation?.rule.split(':')[0], rule);
      const row = `| ${rule} in ${violation?.way.length} steps |`;
      const line = PAGE.split('\n').find((each) => each.includes(`(\`${name}\`)`));
      assert.ok(line?.includes(row), `docs/explanation/fleet-proof.md: "${line}", expected "${row}"`);
    });
});
