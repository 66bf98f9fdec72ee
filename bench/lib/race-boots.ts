import { setTimeout as sleep } from 'node:timers/promises';
import { connectNode, type GetBootReportResponse, HealthState, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import {
  destroyMachine,
  followConsoleLines,
  type MachineSpec,
  type MachineStatus,
  startMachine,
  waitForApi,
} from '@plinth/local';
import type { Toolbox } from '@plinth/toolbox';
import { interrupted } from './interrupted.ts';
import { CONTAINERD_ANSWERS } from './mkosi-images.ts';
import { processorMs } from './processor-time.ts';
import { prepareRaceMachine } from './race-machine.ts';

/** What a boot took from the moment QEMU runs. */
export interface BootCost {
  readonly wallMs: number;
  /** Of QEMU, so of the emulated processors; hardly changes with the load of this computer. */
  readonly processorMs: number;
}

export interface PlinthBoot {
  readonly apiReady: BootCost;
  readonly healthy: BootCost;
  readonly report: GetBootReportResponse;
}

/** Boots both images on the same machine: same firmware, keys, TPM, processors and memory. One at a time. */
export interface BootRace {
  /** Boots a fresh copy of the disk until the API says that the node is healthy. */
  plinth(diskPath: string): Promise<PlinthBoot>;
  /** Boots a fresh copy of the disk until containerd answers. */
  plain(diskPath: string): Promise<BootCost>;
}

const ASK_EVERY_MS = 500;
const BOOT_TIMEOUT_MS = 600_000;
const CALL_TIMEOUT_MS = 30_000;

/** Where a boot of Debian ends that goes no further. */
const GIVEN_UP = /No bootable option|Kernel panic|emergency mode|^\(initramfs\)/;

/** @param folder receives certificates and machines */
export async function prepareRace(toolbox: Toolbox, keysDir: string, folder: string): Promise<BootRace> {
  const { common, root, machineConfig, credentials } = await prepareRaceMachine(keysDir, folder);
  const boot = async <T>(
    spec: Pick<MachineSpec, 'name' | 'disk' | 'machineConfig'>,
    wait: (machine: MachineStatus, costNow: () => Promise<BootCost>) => Promise<T>,
  ): Promise<T> => {
    const machine = await startMachine(
      toolbox,
      { ...common, ...spec, onReboot: 'end' },
      { root, signal: interrupted },
    );
    const startedMs = performance.now();
    try {
      return await wait(machine, async () => ({
        wallMs: performance.now() - startedMs,
        processorMs: await processorMs(machine.record.qemu.pid),
      }));
    } finally {
      await destroyMachine(spec.name, { root });
    }
  };
  return {
    plinth: (path) =>
      boot(
        {
          name: 'plinth',
          disk: { kind: 'raw', path },
          machineConfig,
        },
        async (machine, costNow) => {
          const endpoint = await waitForApi(machine, { timeoutMs: BOOT_TIMEOUT_MS, signal: interrupted });
          const apiReady = await costNow();
          using client = connectNode({
            ...endpoint,
            ...credentials,
            timeoutMs: CALL_TIMEOUT_MS,
          });
          await waitUntilHealthy(client);
          return { apiReady, healthy: await costNow(), report: await client.getBootReport() };
        },
      ),
    plain: (path) =>
      boot({ name: 'plain', disk: { kind: 'raw', path } }, async (machine, costNow) => {
        const signal = AbortSignal.any([interrupted, AbortSignal.timeout(BOOT_TIMEOUT_MS)]);
        let last = 'nothing was printed';
        for await (const line of followConsoleLines(machine, signal)) {
          if (line.includes(CONTAINERD_ANSWERS)) return await costNow();
          if (line.trim()) last = line.trim();
          if (GIVEN_UP.test(line)) break;
        }
        throw new PlinthError(
          'vm/ended',
          `Cannot time the plain image: ${last}, expected containerd to answer`,
        );
      }),
  };
}

async function waitUntilHealthy(client: NodeClient): Promise<void> {
  const deadlineMs = performance.now() + BOOT_TIMEOUT_MS;
  let last = 'no answer';
  while (performance.now() < deadlineMs) {
    try {
      const { state, checks } = await client.getHealth();
      if (state === HealthState.HEALTHY) return;
      last = checks.map(({ id, verdict, observed }) => `${id} ${verdict} ${observed}`).join('; ');
    } catch (reason) {
      if (!(reason instanceof PlinthError && reason.retryable)) throw reason;
    }
    await sleep(ASK_EVERY_MS, undefined, { signal: interrupted });
  }
  throw new PlinthError('vm/api-timeout', `Cannot time the boot: the node did not become healthy: ${last}`);
}
