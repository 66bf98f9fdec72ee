import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodes } from '@plinth/base';
import { commandTable } from './commands/index.ts';
import { commandHelp } from './framework/help.ts';
import { rootHelp } from './framework/help-pages.ts';
import { createStyle } from './output/style.ts';
import { runCli } from './run-cli.ts';

/** Runs one command line in a world without a terminal. */
async function plinth(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const world = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    env: {},
  };
  const exitCode = await runCli(argv, world, new AbortController().signal);
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

const plain = createStyle(false);

test('every command has a page that fits one screen of 80x24 and shows two examples of itself', () => {
  for (const command of commandTable.commands) {
    const name = `plinth ${command.path.join(' ')}`;
    const lines = commandHelp(command, plain).trimEnd().split('\n');
    assert.ok(lines.length <= 24, `${name}: ${lines.length} lines`);
    assert.doesNotMatch(lines.join('\n'), /\n\n\n/, `${name}: two empty lines`);
    for (const line of lines) assert.ok(line.length <= 80, `${name}: ${line}`);
    const shown = command.examples.filter(({ run }) => run.includes(name));
    assert.ok(shown.length >= 2, `${name}: examples`);
    assert.match(command.summary, /^[A-Z].*[^.]$/, name);
  }
});

test('every command is on the first page, and nothing else is', () => {
  const page = rootHelp(commandTable, plain);
  const listed = Object.values(commandTable.topics).flat().sort();
  const words = [...new Set(commandTable.commands.map(({ path }) => path[0]))].sort();
  assert.deepEqual(listed, words);
  for (const line of page.split('\n')) assert.ok(line.length <= 80, line);
});

test('every example is a command line that its own parser accepts', async () => {
  const { parseCommandLine } = await import('./framework/parse-command-line.ts');
  for (const { examples } of commandTable.commands) {
    for (const { run } of examples) {
      const line = /plinth ([^|>)]*)/.exec(run)?.[1] ?? '';
      const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|\S+/g)].map(
        ([word, ...quoted]) => quoted.join('') || word,
      );
      const invocation = parseCommandLine(commandTable, words, plain);
      assert.equal(invocation.kind, 'run', run);
    }
  }
});

test('plinth alone shows the first page; a group alone is an incomplete command line', async () => {
  assert.deepEqual(await plinth(), {
    exitCode: exitCodes.ok,
    stdout: rootHelp(commandTable, plain),
    stderr: '',
  });
  const group = await plinth('vm');
  assert.equal(group.exitCode, exitCodes.usage);
  assert.equal(group.stdout, '');
  assert.match(group.stderr, /plinth vm COMMAND/);
});

test('an unknown command or option ends with 2 and a guess', async () => {
  const command = await plinth('verson');
  assert.equal(command.exitCode, exitCodes.usage);
  assert.equal(
    command.stderr,
    'error[cli/usage]: Cannot run the command: unknown command "verson"\n  hint: Did you mean version?\n',
  );
  const option = await plinth('errors', '--quite');
  assert.equal(option.exitCode, exitCodes.usage);
  assert.match(option.stderr, /unknown option "--quite"\n {2}hint: Did you mean --quiet\?/);
});

test('a bad value names what was expected', async () => {
  const { exitCode, stderr } = await plinth('completion', 'tcsh');
  assert.equal(exitCode, exitCodes.usage);
  assert.match(stderr, /value of SHELL is "tcsh", expected one of bash, zsh, fish/);
  assert.match(
    (await plinth('version', '-o', 'wide')).stderr,
    /value of -o is "wide", expected one of table, json, yaml/,
  );
  assert.match((await plinth('version', '--color', 'red')).stderr, /value of --color is "red"/);
});

test('a wrong command line names the page of its own command', async () => {
  for (const [words, page] of [
    [['files', 'read'], 'files read'],
    [['logs', '--since', 'x'], 'logs'],
    [['access', 'issue', 'bob', '--ttl', '12'], 'access issue'],
    [['get', 'time', '--timeout', '0'], 'get time'],
    [['access', 'no-such'], 'access'],
  ] as const) {
    const { exitCode, stderr } = await plinth(...words);
    assert.equal(exitCode, exitCodes.usage, stderr);
    assert.ok(stderr.endsWith(`\n  hint: See "plinth ${page} --help".\n`), stderr);
  }
});

test('-o json writes the result, or the error, as JSON and nothing else', async () => {
  const good = await plinth('-o', 'json', 'version');
  assert.equal(JSON.parse(good.stdout).node, process.versions.node);
  const asOption = await plinth('--version', '-o', 'json');
  assert.deepEqual(JSON.parse(asOption.stdout), JSON.parse(good.stdout), 'as people type it first');
  const bad = await plinth('errors', 'host/disk-ful', '-o', 'json');
  assert.equal(bad.stdout, '');
  const { error } = JSON.parse(bad.stderr);
  assert.deepEqual(
    [error.code, error.exitCode, error.hint],
    ['cli/usage', 2, 'Did you mean host/disk-full?'],
  );
});

test('plinth errors explains a code as a table', async () => {
  const { stdout } = await plinth('errors', 'cli/interrupted');
  assert.equal(
    stdout,
    [
      'code       cli/interrupted',
      'meaning    The command was interrupted by its user.',
      'cause      Ctrl-C or a termination signal.',
      'fix        Run it again: finished steps are kept.',
      'exit code  130',
      '',
    ].join('\n'),
  );
});
