import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../repo-files.ts';
import { markdownTable, page } from './page.ts';

interface Rule {
  readonly match: string;
  readonly reason: string;
  readonly specs: number;
}

interface Expectations {
  readonly suite: string;
  readonly version: string;
  readonly passed: number;
  readonly leftOut: readonly Rule[];
  readonly skipsItself?: readonly Rule[];
}

const suites = ['critest', 'conformance'].map(
  (name): Expectations => parse(readFileSync(join(root, `tests/outsiders/${name}.yaml`), 'utf8')),
);

/** outsidersPage says which suites of others run, how many of their tests pass, and what does not run for which reason. */
export function outsidersPage(): string {
  const sum = (rules: readonly Rule[] = []) => rules.reduce((total, { specs }) => total + specs, 0);
  return page(
    'Suites of others',
    'tests/outsiders/*.yaml',
    'Programs that Plinth did not write, held against what Plinth builds. `./plinth test --outsiders` compiles and runs them; a test fails when one of theirs fails, when fewer pass than said here, or when one does not run that is not named here.',
    markdownTable(
      ['Suite', 'Version', 'Run and pass', 'Left out', 'Pass over themselves'],
      suites.map(({ suite, version, passed, leftOut, skipsItself }) => [
        suite,
        version,
        String(passed),
        String(sum(leftOut)),
        String(sum(skipsItself)),
      ]),
    ),
    ...suites.flatMap(({ suite, leftOut, skipsItself = [] }) => [
      `## What of ${suite} does not run`,
      markdownTable(
        ['Tests', 'Names', 'Why'],
        [...leftOut, ...skipsItself].map(({ match, reason, specs }) => [
          String(specs),
          `\`${match}\``,
          reason,
        ]),
      ),
    ]),
  );
}
