import { create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import {
  type Drain,
  GetMachineResponseSchema,
  type MachineAct,
  MachineActKind,
  MachineActSchema,
  MachineActState,
  MachineService,
  RebootResponseSchema,
  ResetResponseSchema,
  RestartServiceResponseSchema,
  ShutdownResponseSchema,
} from '@plinth/api';
import { callerKey, requireRole } from '../server/guard.ts';
import { checkConfirmed } from './judge-request.ts';
import type { MachineAct as Act, MachineRequest } from './machine-act.ts';
import type { Machine } from './open-machine.ts';
import { restartableServices } from './restart-service.ts';
import { assertAuthorizedRoot, authorizationOf } from './start-authorization.ts';

/** What the service answers from. */
export interface MachineServiceParts {
  readonly machine: Machine;
  readonly nodeName: string;
  /** Whether the machine config is on /var alone. */
  readonly configIsOnVar: boolean;
  /** Of the system that a reboot starts; "" when nobody can tell. */
  nextRootHash(): Promise<string>;
  /** Restarts a service; gives how long it took, in milliseconds. */
  restartService(name: string): Promise<number>;
}

const DRAIN_MS = 5 * 60_000;

const kinds = {
  reboot: MachineActKind.REBOOT,
  shutdown: MachineActKind.SHUTDOWN,
  reset: MachineActKind.RESET,
} as const;
const states = {
  draining: MachineActState.DRAINING,
  ending: MachineActState.ENDING,
  returning: MachineActState.RETURNING,
  done: MachineActState.DONE,
  failed: MachineActState.FAILED,
} as const;

/** machineService gives the routes of plinth.node.v1.MachineService. */
export function machineService(parts: MachineServiceParts): (router: ConnectRouter) => void {
  const { machine, nodeName } = parts;
  return (router) => {
    router.service(MachineService, {
      getMachine: () => {
        const act = machine.current();
        return create(GetMachineResponseSchema, {
          ...(act && { act: actMessage(act) }),
          restartableServices: [...restartableServices],
        });
      },
      reboot: async ({ reason, override, drain, authorization: sent }, context) => {
        const authorization = authorizationOf(sent);
        if (authorization) assertAuthorizedRoot(authorization, await parts.nextRootHash());
        const act = await machine.begin({
          ...{ kind: 'reboot', ...asked(context, reason, override), drain: drainOf(drain), authorization },
        });
        return create(RebootResponseSchema, { act: actMessage(act) });
      },
      shutdown: async ({ reason, override, drain }, context) =>
        create(ShutdownResponseSchema, {
          act: actMessage(
            await machine.begin({
              kind: 'shutdown',
              ...asked(context, reason, override),
              drain: drainOf(drain),
            }),
          ),
        }),
      reset: async ({ confirm, reason, override }, context) => {
        checkConfirmed(confirm, nodeName);
        const act = await machine.begin({
          ...{ kind: 'reset', ...asked(context, reason, override), drain: undefined },
        });
        return create(ResetResponseSchema, { act: actMessage(act), configIsLost: parts.configIsOnVar });
      },
      restartService: async ({ service }) =>
        create(RestartServiceResponseSchema, {
          duration: durationFromMs(await parts.restartService(service)),
        }),
    });
  };
}

function asked(context: HandlerContext, reason: string, override: string) {
  return { askedBy: requireRole(context.values.get(callerKey)).commonName, reason, override };
}

function drainOf(drain: Drain | undefined): MachineRequest['drain'] {
  if (!drain) return undefined;
  const timeoutMs = drain.timeout ? durationMs(drain.timeout) : DRAIN_MS;
  return { timeoutMs, evictUnmanaged: drain.evictUnmanaged };
}

/** actMessage renders an act on the machine. */
export function actMessage({
  kind,
  state,
  askedBy,
  reason,
  askedAtMs,
  overridden,
  note,
  failure,
}: Act): MachineAct {
  return create(MachineActSchema, {
    ...{ kind: kinds[kind], state: states[state], askedBy, reason, overridden, note },
    askedAt: timestampFromMs(askedAtMs),
    ...(failure && { failure }),
  });
}
