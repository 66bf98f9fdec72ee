// Nodes that join a real API server, etcd and controller manager by the real join path, all on this machine:
// node bench/join.ts [--nodes N] [--within SECONDS] [--controller-qps N]
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createJoinToken } from '@plinth/agent/testing';
import { z } from 'zod';
import { type JoinedNode, type JoinTimes, joinNode } from './lib/fake-kubelet.ts';
import {
  loadNow,
  percentile,
  printConditions,
  printTable,
  printTargets,
  type Row,
  seconds,
} from './lib/figures.ts';
import { interrupted } from './lib/interrupted.ts';
import { type JoinableCluster, startJoinableCluster, untilSigned } from './lib/joinable-cluster.ts';

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    within: { type: 'string', default: '60' },
    'controller-qps': { type: 'string' },
  },
});
const nodes = Number(options.nodes);
const withinMs = Number(options.within) * 1000;
const controllerQps = options['controller-qps'] === undefined ? undefined : Number(options['controller-qps']);
/** How often a kubelet says that its node is alive. */
const LEASE_EVERY_MS = 10_000;
const TOKEN_TTL_MS = 15 * 60_000;
const INVITERS = 4;

await using cluster = await startJoinableCluster({ controllerQps });
const invited = await inviteAll(cluster);
const before = await cluster.processorTimes();
const startedMs = performance.now();
const joined = await joinAll(cluster, invited.tokens);
const wallMs = performance.now() - startedMs;
const after = await cluster.processorTimes();

const phases: readonly [string, (times: JoinTimes) => number][] = [
  ['discovery by token and hash', ({ started, discovered }) => discovered - started],
  ['settings of kubeadm and kubelet', ({ discovered, settled }) => settled - discovered],
  ['ask for a client certificate', ({ settled, asked }) => asked - settled],
  ['plinthd approves it', ({ asked, approved }) => approved - asked],
  ['the controller manager signs it', ({ approved, signed }) => signed - approved],
  ['register the node', ({ signed, registered }) => registered - signed],
  ['the controllers give it its pod network', ({ registered, networked }) => networked - registered],
  ['status and lease', ({ networked, ready }) => ready - networked],
  ['start to Ready', ({ started, ready }) => ready - started],
  ['start to Ready with serving certificate', ({ started, serving }) => serving - started],
];
printTable(
  `Seconds of a node's join: ${nodes} nodes, started within ${options.within} s`,
  ['phase', 'P50', 'P90', 'P99', 'most'],
  phases.map(([what, of]): Row => {
    const values = joined.map(of);
    return [what, ...[0.5, 0.9, 0.99, 1].map((part) => precise(percentile(values, part)))];
  }),
);
printTable(
  'Invitations before that',
  ['', ''],
  [
    [
      `P50 and P90 of one, ${INVITERS} at once`,
      `${precise(percentile(invited.timesMs, 0.5))} s and ${precise(percentile(invited.timesMs, 0.9))} s`,
    ],
    ['until cluster-info was signed by all', `${seconds(invited.signedMs)} s after the last`],
    ['size of cluster-info, which each node reads twice', `${Math.round(invited.infoBytes / 1024)} KiB`],
  ],
);
printTable(
  `Processor time while they joined (${seconds(wallMs)} s)`,
  ['process', 'seconds', 'of one processor'],
  [...after].map(([name, ms]): Row => {
    const spent = ms - (before.get(name) ?? 0);
    return [name, seconds(spent), `${Math.round((100 * spent) / wallMs)} %`];
  }),
);
printTargets([
  {
    what: 'P90 from start to Ready, without the machine itself',
    value:
      percentile(
        joined.map(({ started, ready }) => ready - started),
        0.9,
      ) / 1000,
    atMost: 53,
    unit: 's',
  },
]);
printConditions([
  [
    'Kubernetes',
    `${cluster.version}; etcd does not wait for the disk; client and servers share this machine`,
  ],
  ['nodes', 'one TLS connection and a watch each, lease renewed every 10 s; no containers, no machine'],
  [
    'controller manager',
    controllerQps === undefined
      ? "upstream's limit, 20 calls a second of a kind"
      : `${controllerQps} calls a second of a kind`,
  ],
]);

/** Invites all nodes as plinthd does, a few at once. */
async function inviteAll({ client }: JoinableCluster) {
  const tokens: string[] = [];
  const timesMs: number[] = [];
  let next = 0;
  const inviter = async () => {
    while (next < nodes) {
      const index = next++;
      const beganMs = performance.now();
      const given = { ttlMs: TOKEN_TTL_MS, nowMs: Date.now() };
      tokens[index] = (await createJoinToken(client, nodeOf(index), given)).token;
      timesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: INVITERS }, inviter));
  const lastMs = performance.now();
  const schema = z.object({ data: z.record(z.string(), z.string()) });
  const read = async () =>
    (await client.get('/api/v1/namespaces/kube-public/configmaps/cluster-info', schema)).data;
  const infoBytes = await untilSigned(
    read,
    tokens.map((token) => token.slice(0, 6)),
  );
  return { tokens, timesMs, infoBytes, signedMs: performance.now() - lastMs };
}

/** Starts the nodes evenly over the time, waits for all, and keeps those that are there alive meanwhile. */
async function joinAll(cluster: JoinableCluster, tokens: readonly string[]): Promise<readonly JoinTimes[]> {
  const ended = new AbortController();
  const signal = AbortSignal.any([interrupted, ended.signal]);
  const living: JoinedNode[] = [];
  let done = 0;
  const report = setInterval(() => console.log(`${done} of ${nodes} joined; load ${loadNow()}`), 10_000);
  try {
    return await Promise.all(
      tokens.map(async (token, index) => {
        await sleep((withinMs * index) / nodes, undefined, { signal });
        const { name, address } = nodeAt(index);
        const { apiPort: port, caKeyHash } = cluster;
        const node = await joinNode({ name, address, port, token, caKeyHash });
        living.push(node);
        done++;
        void keepAlive(node, signal);
        return node.times;
      }),
    );
  } finally {
    clearInterval(report);
    ended.abort();
    for (const node of living) node[Symbol.dispose]();
  }
}

async function keepAlive(node: JoinedNode, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await sleep(LEASE_EVERY_MS, undefined, { signal });
      await node.renewLease();
    }
  } catch (reason) {
    if (!signal.aborted) console.error(`a lease was not renewed: ${String(reason)}`);
  }
}

function nodeAt(index: number) {
  return { name: `bench-${index}`, address: `10.64.${index >> 8}.${index & 255}` };
}

function nodeOf(index: number) {
  const { name, address } = nodeAt(index);
  return { nodeId: `machine-${index}`, nodeName: name, nodeAddress: address, role: 'worker' } as const;
}

function precise(ms: number): string {
  return (ms / 1000).toFixed(2);
}
