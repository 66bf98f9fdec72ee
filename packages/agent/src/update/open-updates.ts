import type { ConnectRouter } from '@connectrpc/connect';
import type { UpdatePolicy } from '@plinth/config';
import type { SlotDisk } from '@plinth/updates';
import { type CheckResult, type CheckSpec, fail, pass, runCheck } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import type { Health } from '../health/collect-health.ts';
import type { NetworkProbe } from '../health/network-probe.ts';
import type { Integrity } from '../integrity/collect-integrity.ts';
import type { EndSystem } from '../machine/end-system.ts';
import type { BootEnd } from '../machine/judge-boot-end.ts';
import type { Machine, MachineParts } from '../machine/open-machine.ts';
import { uptimeMs } from '../reports/boot-report.ts';
import { firmwareRootHash, type SystemStart } from '../reports/system-start.ts';
import { imageVersion } from '../reports/versions.ts';
import type { AuditSink } from '../server/audit.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readText, type Sys } from '../sys/sys.ts';
import type { Baseline } from './activate/activated.ts';
import { prepareEnd } from './activate/prepare-end.ts';
import type { StartWays } from './activate/soft/open-start-ways.ts';
import { openContainerChecks, type RunCheckContainer } from './health/container-checks.ts';
import { defaultRouteCheck, defaultRoutes } from './health/default-routes.ts';
import { findFallBack } from './health/find-fall-back.ts';
import { baselineOf, contractOfHealth, contractOfIntegrity, FIRST_CHECKS } from './health/judge-contract.ts';
import { ownApiCheck } from './health/own-api-check.ts';
import { policyChecks, type ReadyPod } from './health/policy-checks.ts';
import { fallBackRecorder } from './health/record-fall-back.ts';
import { runContract } from './health/run-contract.ts';
import { softTrial } from './health/soft-trial.ts';
import { trialDeadline } from './health/trial-deadline.ts';
import { keepChecking } from './service/check-updates.ts';
import { describeSlots, type SlotsNote } from './service/describe-slots.ts';
import { updateService } from './service/update-service.ts';
import type { Stager, UpdateStore } from './types.ts';

export interface UpdatesParts {
  readonly sys: Sys;
  /** plinthd's state folder. */
  readonly files: StateStore;
  readonly stager: Stager;
  readonly store: UpdateStore;
  readonly console: NodeConsole;
  readonly policy: () => UpdatePolicy | undefined;
  readonly health: () => Promise<Health>;
  readonly integrity: () => Promise<Integrity>;
  readonly probe: NetworkProbe;
  /** Which start of the system runs. */
  readonly start: SystemStart;
  readonly startWays: StartWays;
  /** Lays out the root of the version in the other slot. @throws update/soft-reboot-failed */
  layOutNextRoot(disk: SlotDisk, version: string): Promise<void>;
  /** Minor versions of Kubernetes that the node runs, "1.37". */
  kubernetesMinors(): Promise<readonly string[]>;
  /** Whether the firmware would start a version that is staged. @throws update/uki-not-trusted */
  assertBootable(version: string): Promise<void>;
  /** Pods of this node. */
  pods(): Promise<readonly ReadyPod[]>;
  /** Runs a container of the machine config to its end. */
  readonly runContainer: RunCheckContainer;
  readonly signal: AbortSignal;
}

export interface ServeUpdatesParts {
  readonly machine: Machine;
  readonly bootEnd: () => Promise<BootEnd>;
  readonly endSystem: EndSystem;
  readonly audit: AuditSink;
  /** The port that the API listens on; known once it does. */
  readonly port: () => number;
}

/** Updates of this node, before and after the machine's own acts are there. */
export interface Updates {
  readonly check: CheckSpec;
  readonly prepareEnd: NonNullable<MachineParts['prepareEnd']>;
  describeSlots(): Promise<SlotsNote>;
  routes(parts: ServeUpdatesParts): (router: ConnectRouter) => void;
  /**
   * Once the API listens: goes on with what was under way, finds out whether this boot is there because another version failed, and
   * proves this one if it is on trial. Never throws; ends with the signal.
   */
  live(parts: ServeUpdatesParts): Promise<void>;
}

/** A node without a policy has this long. */
const DEADLINE_MINUTES = 10;

/** openUpdates puts together all that updates are on this node. */
export function openUpdates(parts: UpdatesParts): Updates {
  const { sys, stager, store, console, policy, start, signal } = parts;
  const bootId = start.startId;
  const container = openContainerChecks(parts.runContainer);

  const baseline = async (): Promise<Baseline> => {
    const [health, integrity] = await Promise.all([parts.health(), parts.integrity()]);
    return baselineOf(health.checks, integrity.checks, await defaultRoutes(sys).catch(() => []));
  };

  /** Everything that a version on trial has to show, now. */
  async function look(
    before: Baseline | undefined,
    first: boolean,
    port: () => number,
  ): Promise<readonly CheckResult[]> {
    const { checks: health } = await parts.health();
    if (first) return health.filter(({ id }) => FIRST_CHECKS.includes(id));
    const own = [
      ownApiCheck(parts.probe, port),
      defaultRouteCheck(before?.defaultRoutes ?? []),
      ...policyChecks(policy()?.health.checks ?? [], { probe: parts.probe, pods: parts.pods, container }),
    ];
    const [integrity, answers] = await Promise.all([
      parts.integrity(),
      Promise.all(own.map((spec) => runCheck(spec, sys, 10_000))),
    ]);
    return [...contractOfHealth(health, before), contractOfIntegrity(integrity.checks, before), ...answers];
  }

  return {
    check: fallBackCheck(store, () => imageVersion(sys)),
    prepareEnd: (update, act) =>
      prepareEnd(
        {
          ...{ store, stager, bootId, nowMs: sys.nowMs, baseline, console },
          layOutNextRoot: parts.layOutNextRoot,
        },
        update,
        act,
      ),
    describeSlots: () => describeSlots({ stager, policy }),
    routes: ({ machine }) =>
      updateService({
        ...{ stager, store, machine, start, policy, nowMs: sys.nowMs, startWays: parts.startWays },
        firmwareRootHash: () => firmwareRootHash(sys),
        kubernetesMinors: parts.kubernetesMinors,
        assertBootable: parts.assertBootable,
        volatileBecause: parts.files.volatileBecause,
      }),
    async live({ bootEnd, endSystem, audit, port }) {
      const checking = () => keepChecking({ stager, store, policy, nowMs: sys.nowMs, console }, signal);
      if (!(await startsByUefi(sys))) {
        console.say(
          'update: this machine starts without UEFI: no boot loader counts its boots, it takes no updates',
        );
        return checking();
      }
      const onFound = fallBackRecorder(audit);
      const upMs = () => uptimeMs(sys);
      try {
        await findFallBack({
          ...{ sys, files: parts.files, store, stager, console, bootId, bootEnd },
          onFound,
        });
      } catch (reason) {
        console.say(`update: cannot tell whether the node fell back: ${reason}`);
      }
      // Beside each other: a boot on trial stages nothing, and one that is proven goes on with what it staged.
      await Promise.all([
        runContract({
          ...{ store, stager, deadline: trialDeadline(sys), console, bootId, nowMs: sys.nowMs, signal },
          upMs,
          ...(start.soft && {
            soft: softTrial({
              ...{ sys, files: parts.files, store, stager, console, upMs, onFound, bootId: start.bootId },
            }),
          }),
          deadlineMs: () => (policy()?.health.deadlineMinutes ?? DEADLINE_MINUTES) * 60_000,
          look: (before, first) => look(before, first, port),
          reboot: () => endSystem('reboot'),
        }).catch((reason: unknown) => console.say(`update: the health contract ended: ${reason}`)),
        stager.resumeStage(),
        checking(),
      ]);
    },
  };
}

/** Where the kernel was not started by UEFI there is no systemd-boot, which counts boots. */
async function startsByUefi(sys: Pick<Sys, 'readFile'>): Promise<boolean> {
  return (await readText(sys, '/sys/firmware/efi/fw_platform_size')) !== undefined;
}

/** Says it in the health of the node for as long as the version is blocked here. */
function fallBackCheck(store: UpdateStore, booted: () => Promise<string>): CheckSpec {
  return {
    id: 'update',
    expected: 'the node runs the version that was activated last',
    source: 'boot entries, and what plinthd remembers of them',
    cause: 'The version did not prove itself on this node.',
    fix: 'Read why with "plinth get update"; stage another version, or let this one be taken again.',
    observe: async () => {
      const [{ fallBack, failed, contract }, version] = await Promise.all([store.read(), booted()]);
      const open = fallBack?.to === version && failed.some((each) => each.version === fallBack.from);
      if (open) return fail(`fell back from ${fallBack.from} because ${fallBack.reason}`);
      const trial = contract?.version === version && contract.state === 'running';
      return pass(trial ? `${version}, on trial` : version);
    },
  };
}
