import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadKnowledge, loadMoves, loadRules, readAnswers } from '@plinth/advisor';
import { exitCodes } from '@plinth/base';
import { commandTable } from '../commands/index.ts';
import { parseCommandLine } from '../framework/parse-command-line.ts';
import { createStyle } from '../output/style.ts';
import { runCli } from '../run-cli.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'advise-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Runs one command line; `typed` are the lines of somebody at a terminal, absent when nobody is there. */
async function plinth(argv: readonly string[], typed?: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const lines = [...(typed ?? [])];
  const asked: string[] = [];
  const world = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    env: {},
    ...(typed && {
      ask: async (question: string) => {
        asked.push(question);
        err.push(question);
        const line = lines.shift();
        assert.ok(line !== undefined, `asked more than expected: ${err.join('')}`);
        return line;
      },
    }),
  };
  const exitCode = await runCli(argv, world, new AbortController().signal);
  return { exitCode, stdout: out.join(''), stderr: err.join(''), asked: asked.length, unread: lines.length };
}

const today = ['--as-of', '2026-11-22'];

test('advise asks the three questions and where; a point ends the asking, and the answer comes', async () => {
  const result = await plinth(['advise', ...today], ['1', 'strict', '1', 'aks', '.']);
  assert.equal(result.exitCode, exitCodes.ok);
  assert.equal(result.asked, 5);
  assert.match(
    result.stderr,
    /Do your clusters run[\s\S]*How strict[\s\S]*Who stands behind[\s\S]*Where do the nodes run/,
  );
  assert.match(result.stderr, /So far: Azure Container Linux; at most 9 more can change that\./);
  assert.match(result.stdout, /1 +Azure Container Linux +fits +14/);
});

test('advise stops asking by itself when nothing can change the answer any more', async () => {
  const result = await plinth(['advise', ...today], ['several', '', '', 'aks', 'optimised']);
  assert.equal(result.asked, 5);
  assert.equal(result.unread, 0);
  assert.match(result.stdout, /No system fits/);
});

test('a mistyped answer is told with what was meant, and asked again', async () => {
  const result = await plinth(['advise', ...today], ['one', 'strct', '2', '', 'ack,nowhere', 'ack', '.']);
  assert.match(result.stderr, /Not "strct", expected one of ordinary, strict: did you mean strict\?/);
  assert.match(result.stderr, /Not "nowhere", expected one of aks/);
  assert.match(result.stdout, /ContainerOS/);
});

test('nobody to ask and nothing answered: it says how to answer', async () => {
  const { exitCode, stderr } = await plinth(['advise']);
  assert.equal(exitCode, exitCodes.usage);
  assert.match(
    stderr,
    /nothing was answered, and there is no terminal to ask on\n {2}hint: Give answers by --platform/,
  );
});

test('-o json has the same answer with rules, facts and sources', async () => {
  const argv = [
    'advise',
    '--platform',
    'aks',
    '--spread',
    'several',
    '--answer',
    'purpose=optimised',
    ...today,
    '-o',
    'json',
  ];
  const data = JSON.parse((await plinth(argv)).stdout);
  assert.deepEqual(data.first, []);
  assert.deepEqual(data.open, []);
  const flatcar = data.choices.find((one: { id: string }) => one.id === 'flatcar');
  assert.equal(flatcar.standing, 'out');
  const withdrawn = flatcar.findings.find((one: { rule: string }) => one.rule === 'withdrawn');
  assert.equal(withdrawn.facts[0].source.title, 'Azure/AKS issue 5648: Flatcar for AKS retires');
  assert.equal(withdrawn.facts[0].from, '2026-09-08');
  assert.match(data.diagram, /^flowchart TD\n/);
  assert.ok(flatcar.facts.some((fact: { key: string }) => fact.key === 'integrity'));
  const then = JSON.parse(
    (await plinth([...argv.slice(0, -4), '--as-of', '2025-11-20', '-o', 'json'])).stdout,
  );
  assert.deepEqual(then.first, ['flatcar']);
});

test('answers from a file; a flag goes before it; a mistake in it has its line', async () => {
  const file = join(folder, 'a.yaml');
  await writeFile(file, 'platform: [aks]\nspread: one\nfips: required\n');
  const argv = ['advise', '--answers', file, ...today, '-o', 'json'];
  assert.equal(JSON.parse((await plinth(argv)).stdout).answers.fips, 'required');
  assert.equal(JSON.parse((await plinth([...argv, '--spread', 'several'])).stdout).answers.spread, 'several');
  await writeFile(file, 'platform: aks\nspred: one\nfips: maybe\n');
  const { exitCode, stderr } = await plinth(['advise', '--answers', file]);
  assert.equal(exitCode, exitCodes.usage);
  assert.match(stderr, /"maybe", expected one of required, no\n[^\n]*a\.yaml:3:7/);
  assert.match(stderr, /a\.yaml:2:1[\s\S]*did you mean "spread"\?/);
});

test('wrong options are refused before any work, each with what was expected', async () => {
  for (const [argv, message] of [
    [['--platform', 'asks'], /the answer to platform is "asks", expected one of aks, .*: did you mean aks\?/],
    [['--answer', 'fips'], /value of --answer has "fips", expected the form name=value/],
    [['--answer', 'x=y'], /there is no question "x"/],
    [['--as-of', '2026-02-30'], /value of --as-of is "2026-02-30", expected a day/],
    [
      ['--platform', 'aks', '--report', 'r.pdf'],
      /value of --report is "r.pdf", expected a name that ends with/,
    ],
  ] as const) {
    const { exitCode, stderr } = await plinth(['advise', ...argv]);
    assert.equal(exitCode, exitCodes.usage, stderr);
    assert.match(stderr, message);
  }
});

test('reports: Markdown, HTML, JSON, SVG and Mermaid by the ending', async () => {
  for (const [name, pattern] of [
    ['r.md', /^# Node OS, as of 2026-11-22[\s\S]*\| Place \| Name \|[\s\S]*```mermaid\nflowchart TD/],
    ['r.html', /^<!doctype html>[\s\S]*default-src 'none'[\s\S]*<svg [\s\S]*All systems compared/],
    ['r.json', /^\{\n {2}"asOf": "2026-11-22"/],
    ['r.svg', /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/],
    ['r.mmd', /^flowchart TD\n[\s\S]*first\(\[/],
  ] as const) {
    const file = join(folder, name);
    const { exitCode } = await plinth(['advise', '--platform', 'aks', ...today, '--report', file]);
    assert.equal(exitCode, exitCodes.ok);
    assert.match(await readFile(file, 'utf8'), pattern, name);
  }
});

test('advisor facts shows a system at a date, what is stale, and both sides of a contradiction', async () => {
  const { stdout } = await plinth(['advisor', 'facts', 'azure-linux-os-guard', ...today]);
  assert.match(stdout, /retires +aks +2026-12-10 +AKS release notes 2026-09-04/);
  assert.match(
    stdout,
    /Sources disagree:[\s\S]*code-integrity: audit[\s\S]*but: blocks what is not from a signed volume/,
  );
  const stale = JSON.parse((await plinth(['advisor', 'facts', '--stale', ...today, '-o', 'json'])).stdout);
  assert.ok(
    stale.length > 0 &&
      stale.every((row: { ageDays: number | null }) => row.ageDays === null || row.ageDays > 180),
  );
  const { exitCode, stderr } = await plinth(['advisor', 'facts', 'talso']);
  assert.equal(exitCode, exitCodes.usage);
  assert.match(stderr, /hint: Did you mean talos\?/);
});

test('migrate plan from what az prints: ready, not known and blocked are three things; --exit-code tells', async () => {
  const file = join(folder, 'aks.json');
  const pool = {
    name: 'np',
    count: 6,
    osSku: 'Ubuntu',
    osType: 'Linux',
    vmSize: 'Standard_D4s_v5',
    currentOrchestratorVersion: '1.34.1',
  };
  await writeFile(file, JSON.stringify({ name: 'prod', resourceGroup: 'rg', agentPoolProfiles: [pool] }));
  const argv = ['migrate', 'plan', '--describe', file, '--to', 'azure-container-linux', ...today];
  const unknown = JSON.parse((await plinth([...argv, '-o', 'json'])).stdout);
  assert.equal(unknown.verdict, 'unknown');
  assert.equal((await plinth(argv)).exitCode, exitCodes.ok);
  assert.equal((await plinth([...argv, '--exit-code'])).exitCode, exitCodes.findings);
  const known =
    'cli=2.90.0,generation=2,trusted-launch-size=yes,secure-boot=no,fips=no,gpu-dedicated-vhd=no,sandboxing=no,artifact-streaming=no,channel=NodeImage,disruption-budgets=yes';
  const ready = await plinth([...argv, '--facts', known, '--exit-code']);
  assert.equal(ready.exitCode, exitCodes.ok);
  assert.match(ready.stdout, /verdict: nothing blocks it/);
  const blocked = await plinth([...argv, '--facts', `${known},cli=2.80.0`]);
  assert.match(blocked.stdout, /blocks: The CLI is new enough: no\. Way on: Update the Azure CLI/);
});

test('migrate plan reads what kubectl prints from standard input', () => {
  const nodes = [1, 2, 3].map((i) => ({
    kind: 'Node',
    metadata: { name: `n${i}` },
    status: {
      nodeInfo: {
        osImage: 'Ubuntu 24.04.3 LTS',
        kubeletVersion: 'v1.36.1',
        architecture: 'amd64',
        operatingSystem: 'linux',
      },
    },
  }));
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const argv = [main, 'migrate', 'plan', '--describe', '-', '--to', 'plinth', '-o', 'json', ...today];
  const { stdout, stderr, status } = spawnSync(process.execPath, argv, {
    input: JSON.stringify({ kind: 'List', items: nodes }),
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 0, stderr);
  const { from, platform, pool, way, verdict } = JSON.parse(stdout);
  assert.deepEqual(
    [from, platform, pool.nodes, way, verdict],
    ['ubuntu', 'on-premises', 3, 'new-plinth-cluster', 'unknown'],
  );
});

test('migrate plan says what is missing', async () => {
  for (const [argv, message] of [
    [['--to', 'plinth'], /--platform is missing/],
    [['--from', 'k3s'], /--to is missing/],
    [['--to', 'plinth', '--platform', 'aks'], /--from is missing/],
    [['--from', 'ubuntu', '--to', 'plnth', '--platform', 'aks'], /hint: Did you mean plinth\?/],
    [['--from', 'ubuntu', '--to', 'k3s', '--platform', 'aks'], /Cannot find facts about "k3s"/],
    [['--from', 'ubuntu', '--to', 'ubuntu', '--platform', 'aks'], /the pool runs Ubuntu already/],
    [['--from', 'ubuntu', '--to', 'plinth', '--platform', 'azure'], /Cannot find facts about "azure"/],
    [['--to', 'plinth', '--describe', join(folder, 'none.json')], /Cannot read .*none\.json/],
    [['--to', 'talos', '--report', 'p.svg'], /value of --report is "p.svg", expected a name that ends with/],
  ] as const) {
    const { exitCode, stderr } = await plinth(['migrate', 'plan', ...argv]);
    assert.notEqual(exitCode, exitCodes.ok, stderr);
    assert.match(stderr, message);
  }
});

test('the how-to: every command of it is one that the parser accepts, and its answers are answers', async () => {
  const url = new URL('../../../../docs/how-to/choose-a-node-os.md', import.meta.url);
  const text = await readFile(url, 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('plinth '));
  assert.ok(lines.length > 8);
  for (const line of lines) {
    const words = line
      .replace(/ +#.*$/, '')
      .split(' ')
      .slice(1);
    assert.equal(parseCommandLine(commandTable, words, createStyle(false)).kind, 'run', line);
  }
  const yaml = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const { questions } = await loadRules(await loadKnowledge());
  assert.deepEqual(readAnswers(yaml, 'answers.yaml', questions), {
    platform: ['aks'],
    spread: 'one',
    compliance: 'strict',
    fips: 'required',
  });
});

test('every plinth command that a plan shows is one that the parser accepts', async () => {
  const { methods } = await loadMoves(await loadKnowledge());
  const commands = methods
    .flatMap(({ steps }) => steps.flatMap(({ run }) => run))
    .filter((line) => line.startsWith('plinth '));
  assert.ok(commands.length > 0);
  for (const line of commands) {
    const words = line
      .replaceAll('{to}', 'plinth')
      .replace(/\{[a-z-]+\}/g, 'x')
      .split(' ')
      .slice(1);
    const { kind } = parseCommandLine(commandTable, words, createStyle(false));
    assert.ok(kind === 'run' || words.includes('--help'), line);
  }
});
