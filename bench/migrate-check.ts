// What a check of a live cluster costs: 5,000 pods in a real API server and etcd on loopback, and "plinth migrate check
// --live" as a person runs it, in a process of its own. Prints its time and its peak memory. Asked: 10 s and 300 MB.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ControlPlane, findKubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { openKubeConnection } from './lib/kube-connection.ts';
import { clusterObjects } from './lib/sample-workloads.ts';

const MOST_SECONDS = 10;
const MOST_MB = 300;
const CONNECTIONS = 8;

const { values } = parseArgs({
  options: { pods: { type: 'string', default: '5000' }, runs: { type: 'string', default: '3' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const kubernetes = (await findKubernetesPrograms()).findLast(({ skip }) => skip === false);
if (!kubernetes) throw new Error('Kubernetes is not compiled on this machine ("plinth kubernetes build")');

await using plane = await startControlPlane(kubernetes);
const began = performance.now();
const objects = clusterObjects(Number(values.pods));
await createAll(plane, objects);
console.log(
  `Kubernetes ${kubernetes.version}: ${values.pods} pods, ${objects.length} objects made in ${seconds(performance.now() - began)} s`,
);
const figures = [];
for (let run = 0; run < Number(values.runs); run++) {
  const figure = await measure(plane);
  figures.push(figure);
  console.log(
    `run ${run + 1}: ${seconds(figure.timeMs)} s, ${Math.round(figure.peakBytes / 1e6)} MB, ${figure.findings} findings, ${figure.pods} pods, ${figure.answerBytes} bytes of JSON`,
  );
}
const timeMs = median(figures.map((each) => each.timeMs));
const peakBytes = Math.max(...figures.map((each) => each.peakBytes));
const verdict = (isMet: boolean) => (isMet ? 'met' : 'missed');
console.log(
  `median ${seconds(timeMs)} s of ${MOST_SECONDS} s: ${verdict(timeMs <= MOST_SECONDS * 1000)}; peak ${Math.round(peakBytes / 1e6)} MB of ${MOST_MB} MB: ${verdict(peakBytes <= MOST_MB * 1e6)}`,
);

/** Makes all objects, in order of their kinds, over several connections. */
async function createAll(
  { apiPort, caPem, at }: ControlPlane,
  all: ReturnType<typeof clusterObjects>,
): Promise<void> {
  const credentials = await adminCredentials(at('super-admin.conf'));
  const server = { port: apiPort, caPem, ...credentials };
  const connections = Array.from({ length: CONNECTIONS }, () => openKubeConnection(server));
  try {
    for (const phase of [all.filter(({ first }) => first), all.filter(({ first }) => !first)]) {
      const left = phase[Symbol.iterator]();
      await Promise.all(
        connections.map(async (connection) => {
          for (const { path, object } of left) await connection.call('POST', path, object);
        }),
      );
    }
  } finally {
    for (const connection of connections) connection[Symbol.dispose]();
  }
}

async function adminCredentials(path: string): Promise<{ certificatePem: string; keyPem: string }> {
  const text = await readFile(path, 'utf8');
  const pem = (field: string) =>
    Buffer.from(new RegExp(`${field}: (\\S+)`).exec(text)?.[1] ?? '', 'base64').toString('utf8');
  return { certificatePem: pem('client-certificate-data'), keyPem: pem('client-key-data') };
}

async function measure({ at, apiPort }: ControlPlane) {
  // kubeadm leads people to the advertised address; here there is only loopback.
  const kubeconfig = at('super-admin.conf');
  const text = await readFile(kubeconfig, 'utf8');
  if (!text.includes(`127.0.0.1:${apiPort}`)) throw new Error('the kubeconfig leads elsewhere');
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(root, 'packages/cli/src/main.ts'),
      ...['migrate', 'check', '--live', '--kubeconfig', kubeconfig, '-q', '-o', 'json'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let peakBytes = 0;
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      peakBytes = Math.max(peakBytes, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
      await sleep(20);
    }
  })();
  let answer = '';
  for await (const piece of child.stdout.setEncoding('utf8')) answer += piece;
  const timeMs = performance.now() - started;
  isOver = true;
  await watch;
  const result = JSON.parse(answer) as { pods: number; findings: unknown[]; problems: unknown[] };
  if (result.pods !== Number(values.pods) || result.problems.length > 0)
    throw new Error(`${result.pods} pods were checked, ${result.problems.length} problems`);
  return {
    timeMs,
    peakBytes,
    findings: result.findings.length,
    pods: result.pods,
    answerBytes: answer.length,
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
