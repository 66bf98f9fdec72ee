import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  median,
  percentile,
  printConditions,
  printTable,
  printTargets,
  type Row,
  seconds,
} from './lib/figures.ts';
import { runPlinth } from './lib/run-plinth.ts';

/**
 * One call for 500 nodes of which one does not answer: how long the whole command takes, with a limit of 1 s on each node.
 * The nodes are fakes with real TLS, all in one other process; directly, each by its own context, and through one of them
 * by tunnels that carry a second TLS.
 * Run: node bench/fan-out.ts [NODES]
 */
const NODES = Number(process.argv[2] ?? 500);
const RUNS = 5;
const LIMIT_S = 1;
const TARGET_S = 3;

const description = z.object({
  ports: z.array(z.number()),
  fingerprint: z.string(),
  certificatePem: z.string(),
  keyPem: z.string(),
});

const fleet = spawn(
  process.execPath,
  [fileURLToPath(new URL('./lib/fake-fleet-process.ts', import.meta.url)), String(NODES)],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-'));
try {
  const [line] = await once(createInterface(fleet.stdout), 'line');
  const { ports, fingerprint, certificatePem, keyPem } = description.parse(JSON.parse(String(line)));
  const [certificate, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
  await writeFile(certificate, certificatePem);
  await writeFile(key, keyPem, { mode: 0o600 });
  const contexts = ports.map((port, index) => [
    `node-${index}`,
    { endpoint: `127.0.0.1:${port}`, fingerprint, certificate, key },
  ]);
  const rows: Row[] = [];
  const measure = async (title: string, known: number, count: number, limitS = LIMIT_S) => {
    const path = join(folder, `config-${known}`);
    const file = { current: 'node-0', contexts: Object.fromEntries(contexts.slice(0, known)) };
    await writeFile(path, JSON.stringify(file), { mode: 0o600 });
    const first = Math.floor((NODES - count) / 2);
    const names = contexts
      .slice(first, first + count)
      .map(([name]) => name)
      .join(',');
    const args = ['get', 'identity', '--nodes', names, '--timeout', String(limitS), '-o', 'json'];
    const times: number[] = [];
    const processor: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { ms, processorMs, exitCode, stdout } = await runPlinth(args, { PLINTHCONFIG: path });
      const answers = z
        .array(z.object({ node: z.string(), nodeName: z.string().optional() }))
        .parse(JSON.parse(stdout));
      const good = answers.filter(({ nodeName }) => nodeName !== undefined).length;
      if (exitCode !== 5 || good !== count - 1)
        throw new Error(`${title}: exit ${exitCode}, ${good} of ${count}`);
      times.push(ms);
      processor.push(processorMs);
    }
    rows.push([
      title,
      count,
      seconds(median(times)),
      seconds(percentile(times, 0)),
      seconds(Math.max(...times)),
      seconds(median(processor)),
    ]);
    return median(times) / 1000;
  };
  const direct = await measure('directly, one slow', NODES, NODES);
  const tunnelled = await measure('through one node, one slow', 1, Math.min(100, NODES), 5);
  printTable(
    `One call for many nodes, ${RUNS} runs, whole command`,
    ['way', 'nodes', 'median s', 'least', 'most', 'processor s'],
    rows,
  );
  printTargets([{ what: `${NODES} nodes, one slow`, value: direct, atMost: TARGET_S, unit: 's' }]);
  printConditions([
    ['limit on each node', `${LIMIT_S} s directly, 5 s through tunnels; the slow one uses all of it`],
    ['through tunnels', `${tunnelled.toFixed(1)} s, of which 5 s wait for the slow one`],
  ]);
} finally {
  fleet.stdin.end();
  await rm(folder, { recursive: true });
}
