import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeAuthority, makeJournal, startLogsServer } from '@plinth/agent/testing';
import { connectNode } from '@plinth/api';
import { openToolbox } from '@plinth/toolbox';
import { median, printConditions, printTable } from './lib/figures.ts';
import { processorMs } from './lib/processor-time.ts';

/**
 * Prints how fast a journal of 100 MB comes to a client: time to the first line, and MB of journal in a second, by
 * journalctl alone, by the API, and by the command `plinth logs`. The node's side is plinthd's own server with plinthd's
 * own flags (no just-in-time code, a heap of 96 MB) in a process of its own; journald and journalctl are the image's.
 * Run: node bench/logs.ts [--runs N] [--megabytes N]
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, megabytes: { type: 'string', default: '100' } },
});
const RUNS = Number(values.runs);
const MEGABYTES = Number(values.megabytes);
/** What a line of the kubelet takes in a journal file, with its fields and index; measured. */
const BYTES_AN_ENTRY = 610;
const PLINTH = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));

interface Run {
  readonly firstMs: number;
  readonly totalMs: number;
  /** Bytes that came out. */
  readonly bytes: number;
}

/** Lines as a kubelet writes them, no two alike. */
function kubeletLines(count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) =>
      `I1122 05:41:46.${String(index).padStart(6, '0')}    1234 kubelet.go:${index % 3000}] "SyncLoop (PLEG): event for pod" pod="kube-system/coredns-${(index * 7919).toString(36)}" event={"ID":"${(index * 104_729).toString(16).padStart(24, 'a')}","Type":"ContainerStarted"}`,
  );
}

/** Runs a program and watches its standard output. */
async function watch(program: string, args: readonly string[], env: Record<string, string>): Promise<Run> {
  const startedMs = performance.now();
  const child = spawn(program, [...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let [firstMs, bytes] = [Number.NaN, 0];
  for await (const chunk of child.stdout) {
    if (bytes === 0) firstMs = performance.now() - startedMs;
    bytes += (chunk as Buffer).length;
  }
  return { firstMs, totalMs: performance.now() - startedMs, bytes };
}

async function repeat(work: () => Promise<Run>): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let count = 0; count < RUNS; count++) runs.push(await work());
  return runs;
}

function statusMb(key: string, status: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
}

const toolbox = await openToolbox();
const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-logs-'));
try {
  const count = Math.round((MEGABYTES * 1e6) / BYTES_AN_ENTRY);
  const journal = await makeJournal(toolbox, folder, [
    { identifier: 'kubelet', priority: 6, lines: kubeletLines(count) },
  ]);
  const sizes = await Promise.all(
    (await readdir(journal)).map(async (name) => (await stat(join(journal, name))).size),
  );
  const journalMb = sizes.reduce((sum, size) => sum + size, 0) / 1e6;

  // The toolbox's own loader starts its journalctl: no sandbox between that the node does not have.
  const { root } = toolbox;
  const libraries = `${root}/usr/lib/x86_64-linux-gnu`;
  const program = `${root}/usr/lib64/ld-linux-x86-64.so.2`;
  const before = ['--library-path', `${libraries}:${libraries}/systemd`, `${root}/usr/bin/journalctl`];
  const after = [`--directory=${journal}`];

  using authority = makeAuthority();
  const { certificatePem, keyPem } = authority.issue();
  await using server = await startLogsServer({
    program,
    before,
    after,
    authorityPem: authority.certificatePem,
  });
  const { port, fingerprint, pid } = server;

  const alone = await repeat(() => watch(program, [...before, ...after, '--quiet', '--output=export'], {}));
  const startedProcessorMs = await processorMs(pid);
  const over = await repeat(async () => {
    using node = connectNode({
      ...{ address: '127.0.0.1', port, fingerprint, timeoutMs: 20_000 },
      ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
    });
    // The dial is not the log's.
    for await (const _entries of node.logs.read({ lines: 1 })) break;
    const startedMs = performance.now();
    let [firstMs, bytes, entries] = [Number.NaN, 0, 0];
    for await (const batch of node.logs.read({})) {
      if (entries === 0) firstMs = performance.now() - startedMs;
      entries += batch.length;
      for (const { message } of batch) bytes += message.length;
    }
    if (entries < count) throw new Error(`${entries} entries came, expected ${count}`);
    return { firstMs, totalMs: performance.now() - startedMs, bytes };
  });
  const serverMs = ((await processorMs(pid)) - startedProcessorMs) / RUNS;
  const contexts = join(folder, 'contexts');
  await writeFile(join(folder, 'client.crt'), certificatePem);
  await writeFile(join(folder, 'client.key'), keyPem, { mode: 0o600 });
  const context = {
    ...{ endpoint: `127.0.0.1:${port}`, fingerprint },
    ...{ certificate: join(folder, 'client.crt'), key: join(folder, 'client.key') },
  };
  await writeFile(contexts, JSON.stringify({ current: 'bench', contexts: { bench: context } }), {
    mode: 0o600,
  });
  // The user's own cache, so that the command finds itself compiled as it does for a user.
  const { HOME = folder } = process.env;
  const env = { PLINTHCONFIG: contexts, HOME };
  const command = (...args: string[]) =>
    watch(process.execPath, [PLINTH, 'logs', '--color', 'never', ...args], env);
  await command();
  const whole = await repeat(() => command('-n', 'all'));
  const json = await repeat(() => command('-n', 'all', '-o', 'json'));
  const last = await repeat(() => command());

  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const row = (what: string, runs: readonly Run[], sizeMb?: number) => {
    const totalMs = median(runs.map((run) => run.totalMs));
    return [
      what,
      `${median(runs.map((run) => run.firstMs)).toFixed(0)} ms`,
      `${(totalMs / 1000).toFixed(2)} s`,
      sizeMb === undefined ? '' : `${(sizeMb / (totalMs / 1000)).toFixed(1)}`,
      `${(median(runs.map(({ bytes }) => bytes)) / 1e6 / (totalMs / 1000)).toFixed(1)}`,
    ];
  };
  printTable(
    `A journal of ${journalMb.toFixed(0)} MB, ${count} entries`,
    ['read by', 'first line', 'all of it', 'MB of journal/s', 'MB out/s'],
    [
      row('journalctl alone, export format', alone, journalMb),
      row('the API, entries in a client', over, journalMb),
      row('plinth logs -n all', whole, journalMb),
      row('plinth logs -n all -o json', json, journalMb),
      row('plinth logs (the last 100)', last),
    ],
  );
  const rate = journalMb / (median(over.map(({ totalMs }) => totalMs)) / 1000);
  const firstMs = median(whole.map((run) => run.firstMs));
  printTable(
    'Targets',
    ['figure', 'measured', 'target', ''],
    [
      [
        'first line of plinth logs -n all',
        `${firstMs.toFixed(0)} ms`,
        '≤ 300 ms',
        firstMs <= 300 ? 'met' : 'MISSED',
      ],
      ['journal over the API', `${rate.toFixed(1)} MB/s`, '≥ 20 MB/s', rate >= 20 ? 'met' : 'MISSED'],
    ],
  );
  printConditions([
    ['server: processor time for all of it', `${(serverMs / 1000).toFixed(2)} s`],
    ['journal in a second of that', `${(journalMb / (serverMs / 1000)).toFixed(1)} MB`],
    ['server: most memory', `${statusMb('VmHWM', status).toFixed(0)} MB`],
    ['server: anonymous memory at the end', `${statusMb('RssAnon', status).toFixed(0)} MB`],
    [
      'journalctl',
      execFileSync(program, [...before, '--version'])
        .toString()
        .split('\n')[0] ?? '',
    ],
  ]);
} finally {
  await rm(folder, { recursive: true, force: true });
}
