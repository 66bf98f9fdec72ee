import type { ConnectRouter } from '@connectrpc/connect';
import type { ConfigSource } from '../config/sources/read-sources.ts';
import type { NodeConsole } from '../console.ts';
import { guardLoss } from '../etcd/guard-loss.ts';
import type { ClusterDuty } from '../kubernetes/cluster-duty.ts';
import { nodeClient } from '../kubernetes/cluster-life.ts';
import { systemdUnits } from '../kubernetes/units/run-unit.ts';
import { uptimeMs } from '../reports/boot-report.ts';
import { firmwareRootHash, readSystemStart } from '../reports/system-start.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { openBootEnd } from './boot-end.ts';
import { openNodeDrain } from './drain-node.ts';
import { type EndSystem, systemEnd } from './end-system.ts';
import type { BootEnd } from './judge-boot-end.ts';
import { judgeRequest, quorumRefusal } from './judge-request.ts';
import type { MachineAct, MachineRequest } from './machine-act.ts';
import { machineService } from './machine-service.ts';
import { type Machine, type MachineParts, openMachine } from './open-machine.ts';
import { efiResetMark, type ResetMark } from './reset-mark.ts';
import { restartService } from './restart-service.ts';
import { assertAuthorized } from './start-authorization.ts';

export interface ServeMachineParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly nodeName: string;
  readonly configSource: ConfigSource;
  readonly signal: AbortSignal;
  readonly duty: ClusterDuty;
  /** Whether the node can do its work. */
  isHealthy(): Promise<boolean>;
  /** Name of another act of plinthd that must not be cut off, for people; undefined when there is none. */
  otherAct(): Promise<string | undefined>;
  /** Changes what the next boot is of; see PrepareEndParts. */
  readonly prepareEnd?: NonNullable<MachineParts['prepareEnd']>;
  /** How the system is ended and wiped; default: for real. */
  readonly endSystem?: EndSystem;
  readonly resetMark?: ResetMark;
}

/** Everything of plinthd that acts on the machine, ready to be served. */
export interface ServedMachine {
  readonly routes: (router: ConnectRouter) => void;
  /** How the boot before this one ended. Never rejects for what cannot be seen. */
  readonly bootEnd: () => Promise<BootEnd>;
  readonly machine: Machine;
  /** Of this boot. */
  readonly bootId: string;
}

/** serveMachine goes on with what was under way, and gives the routes of MachineService. */
export async function serveMachine(parts: ServeMachineParts): Promise<ServedMachine> {
  const { sys, store, console, nodeName, signal, duty } = parts;
  const start = await readSystemStart(sys);
  const bootId = start.startId;
  const upMs = () => uptimeMs(sys);
  const units = systemdUnits(sys);
  const otherAct = async () => duty.runningAct() ?? (await parts.otherAct());

  async function mayEnd(request: MachineRequest, current: MachineAct | undefined): Promise<string> {
    const { override, kind, authorization } = request;
    if (authorization)
      assertAuthorized(authorization, {
        ...{ bootId: start.bootId, startId: start.startId, nowMs: sys.nowMs(), last: current },
      });
    const member = await duty.member();
    const facts = {
      ...{ nodeName, current, otherAct: await otherAct(), cluster: member?.cluster },
      volatileBecause: store.volatileBecause,
    };
    const overridden = [judgeRequest(request, facts)];
    const question = {
      role: member?.role,
      kind: 'stops',
      nodeName,
      override,
      judge: duty.judgeOwnLoss,
    } as const;
    overridden.push(await guardLoss(question, (reason) => quorumRefusal(kind, reason)));
    return overridden.filter((text) => text !== '').join('; ');
  }

  const drain = openNodeDrain({ client: nodeClient(sys), nodeName, upMs });
  const machine = await openMachine({
    ...{
      store,
      console,
      nodeName,
      bootId,
      nowMs: sys.nowMs,
      upMs,
      signal,
      mayEnd,
      isHealthy: parts.isHealthy,
    },
    ...(parts.prepareEnd && { prepareEnd: parts.prepareEnd }),
    endSystem: parts.endSystem ?? systemEnd(sys),
    resetMark:
      parts.resetMark ?? efiResetMark((unit, timeoutMs) => units.run('restart', unit, { timeoutMs })),
    // The kubelet reports the boot of the kernel.
    isReady: () => drain.isReady(start.bootId),
    drain,
  });
  const bootEnd = await openBootEnd({
    ...{ sys, store, bootId, signal, soft: start.soft },
    askOf: (boot) => (machine.ended?.bootId === boot ? machine.ended : undefined),
  });
  const routes = machineService({
    ...{
      machine,
      nodeName,
      // After a soft-reboot the boot loader chooses: nobody can permit it.
      nextRootHash: async () => (start.soft ? '' : firmwareRootHash(sys)),
      configIsOnVar: parts.configSource === 'persisted' || parts.configSource === 'api',
    },
    restartService: (name) => restartService({ sys, units, otherAct }, name),
  });
  return { routes, bootEnd, machine, bootId };
}
