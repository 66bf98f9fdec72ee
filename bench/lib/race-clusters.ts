import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Act, ActState, connectNode, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { BuiltLayer } from '@plinth/image';
import {
  destroyMachine,
  followConsoleLines,
  type MachineSpec,
  type MachineStatus,
  startMachine,
  stopMachine,
  waitForApi,
} from '@plinth/local';
import type { Toolbox } from '@plinth/toolbox';
import { type ClusterObserver, type ClusterTimes, observeCluster, untilReady } from './cluster-observer.ts';
import { interrupted } from './interrupted.ts';
import { KUBEADM_SAYS, MACHINE_ADDRESS } from './kubeadm-image.ts';
import { processorMs } from './processor-time.ts';
import { prepareRaceMachine } from './race-machine.ts';

/** A moment of a boot, from the start of QEMU. */
export interface Moment {
  readonly what: string;
  readonly wallMs: number;
}

/** One way of a machine from power-on to its first pod. */
export interface ClusterBoot {
  readonly moments: readonly Moment[];
  readonly podRunningMs: number;
  /** Of QEMU, until the pod ran. */
  readonly processorMs: number;
}

export interface ClusterRun {
  readonly first: ClusterBoot;
  /** In use before workloads, as the kubelet counts. */
  readonly memoryBytes: number;
  /** After the power button and a new start; undefined when it was not asked for. */
  readonly second: ClusterBoot | undefined;
}

export interface ClusterRaceOptions {
  readonly toolbox: Toolbox;
  readonly keysDir: string;
  /** Receives certificates and machines. */
  readonly folder: string;
  readonly layer: BuiltLayer;
  readonly memoryMiB: number;
  readonly secondBoot: boolean;
}

export interface ClusterRace {
  plinth(diskPath: string): Promise<ClusterRun>;
  /** @param adminConf kubeconfig of the administrator */
  plain(diskPath: string, adminConf: string): Promise<ClusterRun>;
}

const BOOT_TIMEOUT_MS = 20 * 60_000;
const CALL_TIMEOUT_MS = 120_000;
const ASK_EVERY_MS = 500;
/** After the first pod, until caches and start-up work have settled. */
const SETTLE_MS = 30_000;
/** A machine that shuts its pods down in order takes longer under emulation. */
const POWER_OFF_MS = 240_000;

/** Notes moments of one start. */
interface Clock {
  readonly startedAt: number;
  note(what: string, at?: number): void;
}

/** prepareClusterRace boots on the same machine: firmware, keys, TPM, processors, memory and size of the disk. */
export async function prepareClusterRace(options: ClusterRaceOptions): Promise<ClusterRace> {
  const { toolbox, keysDir, folder, layer, memoryMiB } = options;
  const { common, root, machineConfig, credentials } = await prepareRaceMachine(keysDir, folder);
  const size = { memoryMiB, diskSizeBytes: 8 * 1024 ** 3, kubernetesPort: 0 };
  const image = layer.manifest.images.find(({ name }) => name === 'probe')?.reference ?? '';

  const run = async (
    spec: Pick<MachineSpec, 'name' | 'disk' | 'machineConfig' | 'extraDrives'>,
    found: (machine: MachineStatus, clock: Clock) => Promise<ClusterObserver>,
    again: (machine: MachineStatus, clock: Clock) => Promise<void>,
  ): Promise<ClusterRun> => {
    const start = () => startMachine(toolbox, { ...common, ...size, ...spec }, { root, signal: interrupted });
    try {
      const known = new Set<string>();
      const machine = await start();
      const timed = timeBoot(machine, known);
      using cluster = await found(machine, timed.clock);
      timed.clock.note('first pod asked for');
      await cluster.createPod({ image });
      const first = await timed.end(cluster, true);
      await sleep(SETTLE_MS, undefined, { signal: interrupted });
      const memoryBytes = await cluster.memoryBytes();
      if (!options.secondBoot) return { first, memoryBytes, second: undefined };
      await stopMachine(spec.name, { root, graceMs: POWER_OFF_MS });
      const restarted = await start();
      const timedAgain = timeBoot(restarted, known);
      await again(restarted, timedAgain.clock);
      const port = portOf(restarted);
      await untilReady(port);
      timedAgain.clock.note('API server ready');
      using after = await cluster.at(port);
      return { first, memoryBytes, second: await timedAgain.end(after, false) };
    } finally {
      await destroyMachine(spec.name, { root });
    }
  };

  const connect = async (machine: MachineStatus) =>
    connectNode({
      ...(await waitForApi(machine, { timeoutMs: BOOT_TIMEOUT_MS, signal: interrupted })),
      ...credentials,
      timeoutMs: CALL_TIMEOUT_MS,
    });
  return {
    plinth: (path) =>
      run(
        {
          name: 'plinth',
          disk: { kind: 'raw', path },
          machineConfig,
          extraDrives: [
            {
              path: layer.path,
              format: 'raw',
              readOnly: true,
              serial: `kubernetes-${layer.manifest.kubernetes}`,
            },
          ],
        },
        async (machine, clock) => {
          using client = await connect(machine);
          clock.note('Plinth: API answers');
          await retried(() =>
            client.kubernetes.bootstrap({
              cluster: { name: 'bench', controlPlanesTakeWorkloads: true, apiServerNames: ['127.0.0.1'] },
              kubernetesVersion: layer.manifest.kubernetes,
              nodeAddress: MACHINE_ADDRESS,
            }),
          );
          const ready = untilReady(portOf(machine)).then(() => clock.note('API server ready'));
          // Awaited below; until then a failure of the bootstrap is what counts.
          ready.catch(() => {});
          await followBootstrap(client, clock);
          await ready;
          const { kubeconfig } = await retried(() => client.kubernetes.kubeconfig());
          return observeCluster(portOf(machine), kubeconfig, folder);
        },
        async (machine, clock) => {
          using _client = await connect(machine);
          clock.note('Plinth: API answers');
        },
      ),
    plain: (path, adminConf) =>
      run(
        { name: 'plain', disk: { kind: 'raw', path } },
        async (machine, clock) => {
          const saying = followSetup(machine, clock);
          await Promise.race([untilReady(portOf(machine)), saying.failed]);
          clock.note('API server ready');
          return observeCluster(portOf(machine), await readFile(adminConf, 'utf8'), folder);
        },
        async () => {},
      ),
  };
}

function timeBoot(machine: MachineStatus, known: Set<string>) {
  const startedAt = Date.now();
  const moments: Moment[] = [];
  const clock: Clock = {
    startedAt,
    note: (what, at = Date.now()) => moments.push({ what, wallMs: at - startedAt }),
  };
  return {
    clock,
    async end(cluster: ClusterObserver, isFirst: boolean): Promise<ClusterBoot> {
      const { times, container } = await cluster.podRunning(known);
      const spentMs = await processorMs(machine.record.qemu.pid);
      known.add(container);
      noteTimes(clock, times, isFirst);
      return {
        moments: moments.toSorted((a, b) => a.wallMs - b.wallMs),
        podRunningMs: times.podRunning - startedAt,
        processorMs: spentMs,
      };
    },
  };
}

function noteTimes(clock: Clock, times: ClusterTimes, isFirst: boolean): void {
  // The node was registered once, and a node that came back need not have been seen as lost.
  if (isFirst) clock.note('kubelet registered its node', times.nodeRegistered);
  if (times.nodeReady > clock.startedAt) clock.note('node Ready', times.nodeReady);
  clock.note('pod running', times.podRunning);
}

/** Follows the bootstrap by what the node says, and notes the end of each of its steps. */
async function followBootstrap(client: NodeClient, clock: Clock): Promise<void> {
  const noted = new Set<string>();
  for (;;) {
    const { act } = await retried(() => client.kubernetes.get());
    for (const step of act?.steps ?? []) {
      if (step.state !== ActState.DONE || noted.has(step.title)) continue;
      noted.add(step.title);
      clock.note(`Plinth: ${step.title}`);
    }
    if (act?.state === ActState.DONE) return;
    if (act && act.state !== ActState.RUNNING) throw failed(act);
    await sleep(ASK_EVERY_MS, undefined, { signal: interrupted });
  }
}

function failed({ failure }: Act): PlinthError {
  return new PlinthError(
    'cluster/act-failed',
    `Cannot time the bootstrap: ${failure?.message ?? 'it failed'}`,
  );
}

/** Notes what the plain machine's setup prints; `failed` ends with an error when it goes no further. */
function followSetup(machine: MachineStatus, clock: Clock): { readonly failed: Promise<never> } {
  const failed = (async () => {
    const signal = AbortSignal.any([interrupted, AbortSignal.timeout(BOOT_TIMEOUT_MS)]);
    const last: string[] = [];
    for await (const line of followConsoleLines(machine, signal)) {
      const said = Object.values(KUBEADM_SAYS).find((text) => line.includes(text));
      if (said) clock.note(`plain: ${said.replace('bench: ', '')}`);
      if (line.trim()) last.push(line.trim());
      if (last.length > 12) last.shift();
      if (GIVEN_UP.test(line)) break;
    }
    throw new PlinthError('vm/ended', `Cannot time the plain machine: ${last.join(' | ')}`);
  })();
  failed.catch(() => {});
  return { failed };
}

/** Where a boot of Debian, or its setup, ends that goes no further. */
const GIVEN_UP =
  /No bootable option|Kernel panic|emergency mode|^\(initramfs\)|Failed to start bench-kubeadm|error execution phase/;

async function retried<T>(call: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + BOOT_TIMEOUT_MS;
  for (;;) {
    try {
      return await call();
    } catch (reason) {
      const passes = reason instanceof PlinthError && reason.retryable;
      if (!passes || performance.now() > deadlineMs) throw reason;
      await sleep(ASK_EVERY_MS, undefined, { signal: interrupted });
    }
  }
}

function portOf({ record }: MachineStatus): number {
  return record.kubernetesPort ?? 0;
}
