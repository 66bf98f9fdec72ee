import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { SpecResult } from './ginkgo-report.ts';

const rule = z.strictObject({
  /** A regular expression over full names, of the kind that Go and JavaScript read alike. */
  match: z.string().min(1),
  /** Why they cannot run here. */
  reason: z.string().min(1),
  /** How many match, so that a new version with more of them is noticed. */
  specs: z.int().positive(),
});

const schema = z.strictObject({
  suite: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  /** How many run and pass. */
  passed: z.int().positive(),
  /** What runs, as regular expressions over full names; without it, all but what is left out. */
  runs: z.array(z.string().min(1)).optional(),
  /** What the suite is told not to run; of what `runs` names, nothing. The first that matches counts. */
  leftOut: z.array(rule),
  /** What the suite itself passes over on such a machine. */
  skipsItself: z.array(rule).default([]),
});

/** What is expected of a suite of others on this machine; kept as data beside its test. */
export type Expectations = z.infer<typeof schema>;

/** readExpectations reads them. */
export async function readExpectations(path: string): Promise<Expectations> {
  return schema.parse(parse(await readFile(path, 'utf8')));
}

/** planSpecs sorts all names of a suite. @returns what runs, and what is wrong with the sorting */
export function planSpecs(
  expected: Pick<Expectations, 'runs' | 'leftOut'>,
  names: readonly string[],
): { readonly runs: readonly string[]; readonly problems: readonly string[] } {
  const isRun = (name: string) => expected.runs?.some((pattern) => new RegExp(pattern).test(name)) ?? false;
  const rest = names.filter((name) => !isRun(name));
  const ruleOf = (name: string) => expected.leftOut.find(({ match }) => new RegExp(match).test(name));
  const unsorted = rest.filter((name) => !ruleOf(name));
  const runs = expected.runs ? names.filter(isRun) : unsorted;
  const idle = (expected.runs ?? []).filter(
    (pattern) => !names.some((name) => new RegExp(pattern).test(name)),
  );
  return {
    runs,
    problems: [
      ...(expected.runs ? unsorted.map((name) => `neither run nor left out: ${name}`) : []),
      ...idle.map((pattern) => `nothing to run has the name ${pattern}`),
      ...expected.leftOut.flatMap((each) => {
        const count = rest.filter((name) => ruleOf(name) === each).length;
        return count === each.specs ? [] : [`left out by ${each.match}: ${count}, expected ${each.specs}`];
      }),
    ],
  };
}

/** judgeSpecs holds what a run gave against what is expected. @param specs of what was told to run @returns what is wrong */
export function judgeSpecs(
  expected: Pick<Expectations, 'passed' | 'skipsItself'>,
  specs: readonly SpecResult[],
): string[] {
  const of = (state: SpecResult['state']) => specs.filter((spec) => spec.state === state);
  const ruleOf = (name: string) => expected.skipsItself.find(({ match }) => new RegExp(match).test(name));
  const passed = of('passed').length;
  return [
    ...of('failed').map(({ name, message }) => `failed: ${name}: ${message.slice(0, 500)}`),
    ...of('skipped')
      .filter(({ name }) => !ruleOf(name))
      .map(({ name, message }) => `passed over: ${name}: ${message}`),
    ...expected.skipsItself.flatMap((each) => {
      const count = of('skipped').filter(({ name }) => ruleOf(name) === each).length;
      return count === each.specs ? [] : [`skips itself by ${each.match}: ${count}, expected ${each.specs}`];
    }),
    ...(passed === expected.passed ? [] : [`passed: ${passed}, expected ${expected.passed}`]),
  ];
}
