import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { exitCodes } from '@plinth/base';
import { runCli } from '../run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'plinth-migrate-check-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const daemon = `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: net
  namespace: kube-system
spec:
  template:
    spec:
      tolerations: [{ operator: Exists }]
      containers:
        - name: install
          image: example.org/net:1
          volumeMounts: [{ name: bin, mountPath: /host }]
      volumes:
        - name: bin
          hostPath:
            path: /opt/cni/bin
`;
const fine = 'apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: {}\n';
const blocking = file('daemon.yaml', daemon);
const clean = file('clean.yaml', fine);
const broken = file('broken.yaml', `${daemon}---\nkind: [\n`);
const waivers = (expires: string) =>
  file(
    `waivers-${expires}.yaml`,
    `waivers:\n  - rule: PLM008\n    workload: DaemonSet kube-system/net\n    reason: it goes in December\n    expires: ${expires}\n`,
  );

async function check(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const world = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    env: { HOME: folder },
  };
  const exitCode = await runCli(['migrate', 'check', '-q', ...argv], world, new AbortController().signal);
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

describe('exit codes', () => {
  for (const [what, argv, code] of [
    ['nothing found', [clean, '--exit-code'], exitCodes.ok],
    ['findings, when nobody asked', [blocking], exitCodes.ok],
    ['something blocks', [blocking, '--exit-code'], exitCodes.findings],
    [
      'it is waived',
      [blocking, '--exit-code', '--waivers', waivers('2026-12-01'), '--as-of', '2026-12-01'],
      exitCodes.ok,
    ],
    [
      'the waiver has expired',
      [blocking, '--exit-code', '--waivers', waivers('2026-12-01'), '--as-of', '2026-12-02'],
      exitCodes.findings,
    ],
    ['it does not block there', [blocking, '--exit-code', '--to', 'bottlerocket'], exitCodes.ok],
    ['some of it could not be read', [broken, '--exit-code'], exitCodes.partial],
    ['nothing could be read', [file('nothing.yaml', 'kind: [\n')], exitCodes.failed],
    ['the file is not there', [join(folder, 'missing')], exitCodes.failed],
    ['no source', [], exitCodes.usage],
    ['a source and --live', [clean, '--live'], exitCodes.usage],
    ['a system nobody knows', [clean, '--to', 'plan9'], exitCodes.usage],
    ['a report of no kind', [clean, '--report', 'a.docx'], exitCodes.usage],
    ['--live without a kubeconfig', ['--live'], exitCodes.usage],
  ] as const) {
    test(`${what}: ${code}`, async () => {
      assert.equal((await check(...argv)).exitCode, code);
    });
  }
});

test('the table names rule, workload, subject and place, then why and what to do, and how it ended', async () => {
  const { stdout } = await check(blocking);
  const lines = stdout.split('\n');
  assert.match(lines[1] ?? '', /^block +PLM008 +ds\/kube-system\/net +\/opt\/cni\/bin +daemon\.yaml:17:19$/);
  for (const line of lines) assert.ok(line.length <= 100, line);
  assert.match(stdout, /^PLM008 (?:.*\n)+? {2}.*Fix: /m);
  assert.match(stdout, /1 workload and 0 pods for a move to Plinth: 1 block\.\n$/);
});

test('what could not be read stands in the answer with its line, also with -q', async () => {
  const { stdout } = await check(broken);
  assert.match(stdout, /error\[check\/broken-yaml\].*--> .*broken\.yaml:20:1/);
  assert.match(stdout, /could\s+not\s+be\s+read,\s+so\s+this\s+is\s+not\s+all/);
});

test('an expired waiver is said', async () => {
  const { stdout } = await check(blocking, '--waivers', waivers('2026-11-01'), '--as-of', '2026-11-22');
  assert.match(stdout, /Note: the waiver for PLM008 of DaemonSet kube-system\/net expired on 2026-11-01/);
});

test('JSON, SARIF and reports by the ending of their name', async () => {
  const data = JSON.parse((await check(blocking, '-o', 'json')).stdout) as {
    findings: { rule: string; span: object }[];
  };
  assert.deepEqual(data.findings[0]?.span, { file: blocking, line: 17, column: 19, length: 12 });
  const sarif = JSON.parse((await check(blocking, '-o', 'sarif')).stdout) as { version: string };
  assert.equal(sarif.version, '2.1.0');
  const names = ['r.md', 'r.html', 'r.sarif', 'r.xml', 'r.json'].map((name) => join(folder, name));
  assert.equal((await check(blocking, '--report', names.join(','))).exitCode, exitCodes.ok);
  for (const name of names) assert.match(readFileSync(name, 'utf8'), /PLM008/, name);
});

test('--simulate ranks workloads', async () => {
  const { stdout } = await check(blocking, '--simulate');
  assert.match(stdout, /^RANK +WORKLOAD/);
  assert.match(stdout, /^ +1 +ds\/kube-system\/net +1 +0 +all +each +\? +PLM008$/m);
});

test('"-" reads what another program prints', () => {
  const main = join(import.meta.dirname, '../main.ts');
  const done = spawnSync(process.execPath, [main, 'migrate', 'check', '-', '-q', '-o', 'name'], {
    input: daemon,
    encoding: 'utf8',
  });
  assert.equal(done.stdout, 'PLM008 DaemonSet kube-system/net /opt/cni/bin\n');
  assert.equal(done.status, exitCodes.ok);
});

describe('the how-to', () => {
  const page = readFileSync(
    join(import.meta.dirname, '../../../../docs/how-to/check-workloads-before-a-move.md'),
    'utf8',
  );
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, text = '']) => text);

  test('shows command lines that the parser takes', async () => {
    const { parseCommandLine } = await import('../framework/parse-command-line.ts');
    const { commandTable } = await import('../commands/index.ts');
    const { createStyle } = await import('../output/style.ts');
    const lines = blocks('sh').flatMap((text) => [...text.matchAll(/plinth (migrate check[^|#\n]*)/g)]);
    assert.ok(lines.length >= 6);
    for (const [, line = ''] of lines) {
      const invocation = parseCommandLine(commandTable, line.trim().split(/\s+/), createStyle(false));
      assert.equal(invocation.kind, 'run', line);
    }
  });

  test('shows waivers that are valid', async () => {
    const [text = ''] = blocks('yaml');
    const { exitCode } = await check(clean, '--waivers', file('how-to.yaml', text));
    assert.equal(exitCode, exitCodes.ok);
  });
});
