import { readFile, writeFile } from 'node:fs/promises';
import { FLEET_NAME, FLEET_NAMESPACE, installManifests } from '@plinth/fleet';
import { bundleOperator } from '@plinth/fleet/build';
import { type FakeFleet, type SeenSlots, startFakeFleet, watchAudit } from '@plinth/fleet/testing';
import { eventually } from '@plinth/host/testing';
import {
  type ControlPlane,
  endProcess,
  findKubernetesPrograms,
  freePorts,
  startControlPlane,
} from '@plinth/image/testing';
import {
  applyObject,
  askKube,
  type KubeConnection,
  openKindMap,
  openKubeConnection,
  readClusterAccess,
} from '@plinth/kube';
import { leading, type OperatorProcess, operatorAccess, startOperator } from './fleet-operator-process.ts';
import { processorMs } from './processor-time.ts';

export interface RaceFleetOptions {
  readonly nodes: number;
  readonly podsPerNode: number;
  /** As a policy has it. */
  readonly maxUnavailable: number | string;
  /** Two operators run; the one that leads is killed when two fifths of the nodes are done. */
  readonly kills: boolean;
  readonly signal: AbortSignal;
}

export interface FleetRace {
  readonly calls: readonly { readonly call: string; readonly count: number }[];
  readonly allowed: number;
  /** Slots given, on average from where the waves' floors are behind (30 % of the nodes) to the last admission. */
  readonly busyMean: number;
  readonly starts: number;
  readonly firstAdmissionMs: number;
  readonly rolloutMs: number;
  readonly processorMs: number;
  readonly memoryBytes: number;
  readonly lagSeconds: number;
  readonly recoveryMs: number | undefined;
  readonly violations: readonly { readonly rule: string; readonly text: string }[];
  readonly observed: number;
  /** How operators ended by themselves, their last words with it. */
  readonly ends: readonly string[];
}

const SYSTEMS = [
  { version: '1.0', rootHash: '0a'.repeat(32) },
  { version: '1.1', rootHash: '0b'.repeat(32) },
] as const;
const GROUP = '/apis/fleet.plinth.dev/v1alpha1';
/** Staging, ending, starting and the trial take a fifteenth of what they take on a machine. */
const TIMES = { stageMs: 2_000, endMs: 500, bootMs: 5_000, trialMs: 2_000 };
const PATIENCE_MS = 60 * 60_000;

/** raceFleet brings fake nodes to a release by the operator as a process of its own, with the rights it has in a cluster. */
export async function raceFleet(options: RaceFleetOptions): Promise<FleetRace> {
  const kubernetes = (await findKubernetesPrograms()).findLast(({ skip }) => skip === false);
  if (!kubernetes) throw new Error('Kubernetes is not compiled on this machine ("plinth kubernetes build")');
  const { signal } = options;
  await using plane = await startControlPlane(kubernetes, { isAudited: true });
  const access = await readClusterAccess(plane.at('super-admin.conf'), undefined, signal);
  using admin = openKubeConnection(access, { maxSockets: 48 });
  const kinds = openKindMap(admin);
  const install = { namespace: FLEET_NAMESPACE, image: 'none', replicas: 1, mayDeletePods: false };
  for (const object of installManifests(install)) await applyObject(admin, kinds, object, 'bench', signal);
  const [port = 0] = await freePorts(1);
  await using audit = watchAudit(admin, signal);
  console.log(`Making ${options.nodes} nodes ...`);
  await using fleet = await startFakeFleet({
    ...{ connection: admin, nodes: options.nodes, podsPerNode: options.podsPerNode, zones: 3, port, signal },
    ...{ systems: SYSTEMS, kubernetesVersion: `v${kubernetes.version}`, times: TIMES, atOnce: 48 },
    started: audit.started,
  });
  const kubeconfig = await operatorAccess(plane, admin, signal);
  await writeFile(plane.at('tls.crt'), fleet.served.certificatePem);
  await writeFile(plane.at('tls.key'), fleet.served.keyPem, { mode: 0o600 });
  await bundleOperator(plane.dir);
  const operators = await Promise.all(
    Array.from({ length: options.kills ? 2 : 1 }, () => startOperator(plane, kubeconfig, port)),
  );
  try {
    return await measure(options, { admin, plane, fleet, audit, operators });
  } finally {
    await Promise.all(
      operators.map((operator) => {
        operator.kill('SIGTERM');
        return endProcess(operator.child);
      }),
    );
  }
}

async function measure(
  { nodes, maxUnavailable, kills, signal }: RaceFleetOptions,
  {
    admin,
    plane,
    fleet,
    audit,
    operators,
  }: {
    readonly admin: KubeConnection;
    readonly plane: ControlPlane;
    readonly fleet: FakeFleet;
    readonly audit: ReturnType<typeof watchAudit>;
    readonly operators: readonly OperatorProcess[];
  },
): Promise<FleetRace> {
  const isDone = () =>
    [...fleet.machines.values()].filter(({ booted, isUp }) => isUp && booted.version === '1.1').length;
  const lags: number[] = [];
  const watch = setInterval(() => {
    for (const { metricsUrl } of operators)
      fetch(metricsUrl)
        .then(async (answer) => {
          const found = /plinth_event_loop_lag_seconds\{quantile="0.99"\} (\S+)/.exec(await answer.text());
          if (found) lags.push(Number(found[1]));
        })
        .catch(() => undefined);
  }, 5_000);
  const beganMs = Date.now();
  await nameRelease(admin, maxUnavailable, signal);
  console.log('Rolling out ...');
  let recoveryMs: number | undefined;
  let openMs: number;
  try {
    await eventually(() => isDone() >= nodes * 0.3, { patienceMs: PATIENCE_MS, everyMs: 100 });
    openMs = Date.now();
    if (kills) {
      await eventually(() => isDone() >= nodes * 0.4, { patienceMs: PATIENCE_MS, everyMs: 200 });
      const leader = await leading(operators);
      leader.kill('SIGKILL');
      const killedMs = Date.now();
      const isWritten = () => audit.slots.some(({ atMs }) => atMs > killedMs + 500);
      await eventually(isWritten, { patienceMs: 120_000, everyMs: 50 });
      recoveryMs = Date.now() - killedMs;
    }
    await eventually(() => isDone() === nodes, { patienceMs: PATIENCE_MS, everyMs: 200 });
  } finally {
    clearInterval(watch);
  }
  const rolloutMs = Date.now() - beganMs;
  await eventually(() => audit.slots.at(-1)?.count === 0, { patienceMs: 120_000, everyMs: 200 });
  const last = operators.findLast(({ child }) => child.exitCode === null && child.signalCode === null);
  const pid = last?.child.pid ?? 0;
  const [operatorMs, status] = [await processorMs(pid), await readFile(`/proc/${pid}/status`, 'utf8')];
  const { violations, observed } = await audit.end();
  const share =
    typeof maxUnavailable === 'number'
      ? maxUnavailable
      : Math.floor((nodes * Number.parseInt(maxUnavailable, 10)) / 100);
  const allowed = Math.max(1, share);
  return {
    ends: operators.flatMap(({ ends }) => ends),
    ...{ allowed, rolloutMs, recoveryMs, violations, observed, starts: fleet.reboots().length },
    calls: await countCalls(plane.at('audit.log')),
    busyMean: meanSlots(audit.slots, openMs),
    firstAdmissionMs: (audit.slots.find(({ count }) => count > 0)?.atMs ?? Number.NaN) - beganMs,
    processorMs: operatorMs,
    memoryBytes: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024,
    lagSeconds: Math.max(0, ...lags),
  };
}

async function nameRelease(
  admin: KubeConnection,
  maxUnavailable: number | string,
  signal: AbortSignal,
): Promise<void> {
  const make = (plural: string, kind: string, name: string, spec: object) => {
    const body = { apiVersion: 'fleet.plinth.dev/v1alpha1', kind, metadata: { name }, spec };
    return askKube(admin, { method: 'POST', path: `${GROUP}/${plural}`, body }, signal);
  };
  await make('plinthreleases', 'PlinthRelease', 'r1', { os: SYSTEMS[1] });
  await make('updatepolicies', 'UpdatePolicy', 'workers', {
    ...{ nodeSelector: { matchLabels: { fleet: 'fake' } }, release: 'r1' },
    // One zone after the other is a bound of its own, and is not what is measured.
    topology: { domainsInFlight: 3, maxUnavailablePerDomain: '100%' },
    capacity: { maxUnavailable, headroom: { enabled: false } },
    waves: [{ upTo: '100%', soak: '0s' }],
    nodeHealth: { ready: '1s', soak: '1s' },
    pace: { mode: 'Fastest' },
    churn: { maxStaging: '25%', maxEvictionsPerSecond: 200 },
  });
}

/** Time-weighted mean of the slots given, until the last admission: after it there is nothing to admit. */
function meanSlots(slots: readonly SeenSlots[], fromMs: number): number {
  const lastMs = Math.max(...slots.map(({ admittedMs }) => admittedMs));
  let sum = 0;
  slots.forEach(({ atMs, count }, index) => {
    const untilMs = Math.min(slots[index + 1]?.atMs ?? lastMs, lastMs);
    sum += count * Math.max(0, untilMs - Math.max(atMs, fromMs));
  });
  return sum / (lastMs - fromMs);
}

/** The operator's calls by verb and resource, as the API server wrote them down. */
async function countCalls(path: string): Promise<FleetRace['calls']> {
  const counts = new Map<string, number>();
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    if (!line.includes(`:${FLEET_NAMESPACE}:${FLEET_NAME}"`)) continue;
    const { verb, objectRef } = JSON.parse(line) as {
      readonly verb: string;
      readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
    };
    const { resource = '(none)', subresource } = objectRef ?? {};
    const call = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
    counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  return [...counts].map(([call, count]) => ({ call, count })).sort((a, b) => b.count - a.count);
}
