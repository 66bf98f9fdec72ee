import { spawn } from 'node:child_process';
import { glob, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';
import { repositoryRoot } from '../repository.ts';
import { prepareOutsiders } from './prepare-outsiders.ts';
import { prepareRelease } from './prepare-release.ts';

const parts = ['unit', 'tools', 'boot', 'cluster', 'update', 'outsiders'] as const;
type Part = (typeof parts)[number];

export interface TestOptions extends Readonly<Record<Part, boolean>> {
  readonly quick: boolean;
  /** Only test files whose path holds this. */
  readonly only?: string | undefined;
}

export interface GroupResult {
  readonly name: string;
  readonly what: string;
  /** The command that runs this group alone. */
  readonly alone: string;
  readonly outcome: 'passed' | 'failed' | 'not run';
  readonly durationMs: number;
}

/** What one group leaves for the next: environment of the tests. */
type TestEnvironment = Readonly<Record<string, string>>;

interface Group {
  readonly name: string;
  readonly part: Part;
  readonly what: string;
  /** Made before the programs start; an error fails the group. */
  readonly prepare?: (context: CommandContext) => Promise<TestEnvironment>;
  /** Program and arguments, each run in turn; an empty list passes. */
  readonly commands: (only: string | undefined) => Promise<readonly (readonly [string, ...string[]])[]>;
}

/**
 * runTests runs the groups in order and stops at the first that fails. Output of the tests goes where it always goes.
 * @throws cli/interrupted
 */
export async function runTests(options: TestOptions, context: CommandContext): Promise<GroupResult[]> {
  const results: GroupResult[] = [];
  const { only } = options;
  for (const group of await groupsWith(only, chooseGroups(options))) {
    const { name, part, what } = group;
    const about = { name, what, alone: `plinth test --${part}` };
    if (results.some(({ outcome }) => outcome === 'failed')) {
      results.push({ ...about, outcome: 'not run', durationMs: 0 });
      continue;
    }
    context.say(`== ${name}: ${what}`);
    const startedMs = performance.now();
    const passed = await runGroup(group, only, context);
    const durationMs = performance.now() - startedMs;
    results.push({ ...about, outcome: passed ? 'passed' : 'failed', durationMs });
  }
  return results;
}

/**
 * chooseGroups decides which groups the options mean; without options, all but those that take an hour without KVM. Where
 * only some files are meant, what is not about files is left out.
 */
export function chooseGroups(options: TestOptions): readonly Group[] {
  const named = parts.filter((part) => options[part]);
  const wanted: readonly Part[] = named.length > 0 ? named : ['unit', 'tools', 'boot'];
  return groups.filter(
    ({ part, name }) =>
      wanted.includes(part) &&
      !(options.quick && part === 'boot') &&
      !(options.only !== undefined && ['types', 'lint'].includes(name)),
  );
}

/** Leaves out groups that have none of the files that are meant. @throws cli/usage when none has */
async function groupsWith(only: string | undefined, chosen: readonly Group[]): Promise<readonly Group[]> {
  if (only === undefined) return chosen;
  const having = await Promise.all(chosen.map(async (group) => (await group.commands(only)).length > 0));
  const left = chosen.filter((_group, index) => having[index]);
  if (left.length === 0) throw usageError(`no test file of these groups has "${only}" in its path`);
  return left;
}

const bin = (name: string) => join(repositoryRoot, 'node_modules', '.bin', name);
const node = process.execPath;

const groups: readonly Group[] = [
  {
    name: 'types',
    part: 'unit',
    what: 'the TypeScript compiler',
    commands: async () => [[bin('tsc'), '--noEmit', '-p', 'tsconfig.json']],
  },
  {
    name: 'lint',
    part: 'unit',
    what: 'style, layers, file sizes, host names, fresh reference pages',
    commands: async () => [
      [bin('biome'), 'check', '--error-on-warnings', '.'],
      ...['check-boundaries', 'check-size', 'check-hosts'].map((name): [string, string] => [
        node,
        `tools/${name}.ts`,
      ]),
      [node, 'tools/generate-docs.ts', '--check'],
    ],
  },
  {
    name: 'unit',
    part: 'unit',
    what: 'tests of pure code and of this machine',
    commands: async (only) => nodeTest(await testFiles('unit', only)),
  },
  {
    name: 'tools',
    part: 'tools',
    what: 'tests against the real tools in the toolbox',
    commands: async (only) => nodeTest(await testFiles('tools', only)),
  },
  {
    name: 'boot',
    part: 'boot',
    what: 'the built image in QEMU, whole and tampered with',
    prepare: prepareRelease,
    // One machine at a time: two under translation on one computer only slow each other down.
    commands: async (only) => nodeTest(await testFiles('boot', only), '--test-concurrency=1'),
  },
  {
    name: 'cluster',
    part: 'cluster',
    what: 'clusters of machines, from one command to an upgrade, and the fleet operator in one',
    prepare: prepareRelease,
    commands: async (only) => nodeTest(await testFiles('cluster', only), '--test-concurrency=1'),
  },
  {
    name: 'update',
    part: 'update',
    what: 'faults while a machine updates itself: power cuts, bad releases, full disks, wrong clocks',
    prepare: prepareRelease,
    commands: async (only) => nodeTest(await testFiles('update', only), '--test-concurrency=1'),
  },
  {
    name: 'outsiders',
    part: 'outsiders',
    what: 'suites of others: the CRI validation, the conformance tests of Kubernetes',
    prepare: prepareOutsiders,
    commands: async (only) => nodeTest(await testFiles('outsiders', only), '--test-concurrency=1'),
  },
];

function nodeTest(paths: readonly string[], ...flags: string[]): [string, ...string[]][] {
  const seeded = ['--import', join(repositoryRoot, 'tests', 'testkit', 'seed-properties.ts')];
  return paths.length === 0 ? [] : [[node, ...seeded, '--test', ...flags, ...paths]];
}

/** The test files of one part, of those whose path holds `only`. */
async function testFiles(part: Part, only = ''): Promise<string[]> {
  const found: string[] = [];
  const options = { cwd: repositoryRoot, exclude: ['**/node_modules/**'] };
  for await (const path of glob(
    ['packages/**/*.test.ts', 'tools/**/*.test.ts', 'tests/**/*.test.ts'],
    options,
  )) {
    if (!path.includes(only)) continue;
    if (partOf(path, await readFile(join(repositoryRoot, path), 'utf8')) === part) found.push(path);
  }
  return found.sort();
}

/** partOf sorts a test file by what it needs: a machine that boots, the toolbox, or nothing. */
export function partOf(path: string, text: string): Part {
  if (path.startsWith('tests/cluster/')) return 'cluster';
  if (path.startsWith('tests/update/')) return 'update';
  if (/^tests\/outsiders\/.*\.tool\.test\.ts$/.test(path)) return 'outsiders';
  if (path.endsWith('.boot.test.ts')) return 'boot';
  return path.endsWith('.tool.test.ts') || text.includes('openToolbox') ? 'tools' : 'unit';
}

async function runGroup(group: Group, only: string | undefined, context: CommandContext): Promise<boolean> {
  const extra = (await group.prepare?.(context)) ?? {};
  for (const [program, ...args] of await group.commands(only)) {
    if (!(await succeeds(program, args, extra, context))) return false;
  }
  return true;
}

/** Runs a program whose output is meant for the person at the terminal, so it gets the terminal. */
async function succeeds(
  program: string,
  args: readonly string[],
  extra: TestEnvironment,
  context: CommandContext,
): Promise<boolean> {
  const path = `${join(repositoryRoot, 'node_modules', '.bin')}${delimiter}${context.env['PATH'] ?? ''}`;
  const child = spawn(program, [...args], {
    cwd: repositoryRoot,
    // Standard output is the result's; what the tests say goes beside it.
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    env: { ...context.env, ...extra, PATH: path },
  });
  const stop = () => child.kill('SIGTERM');
  context.signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (context.signal.aborted)
      throw new PlinthError('cli/interrupted', 'Cannot finish the tests: interrupted');
    return code === 0;
  } finally {
    context.signal.removeEventListener('abort', stop);
  }
}
