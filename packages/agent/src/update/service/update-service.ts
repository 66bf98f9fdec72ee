import { create } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import {
  type ActivateUpdateRequest,
  ActivateUpdateResponseSchema,
  CancelUpdateResponseSchema,
  CheckUpdateResponseSchema,
  type RollBackRequest,
  RollBackResponseSchema,
  StageUpdateResponseSchema,
  StartChoice,
  UnblockVersionResponseSchema,
  UpdateService,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { UpdatePolicy } from '@plinth/config';
import { planCancel, type SlotDisk, type StartWay, viewSlots } from '@plinth/updates';
import { isUnderWay, type MachineRequest } from '../../machine/machine-act.ts';
import { actMessage } from '../../machine/machine-service.ts';
import type { Machine } from '../../machine/open-machine.ts';
import { assertAuthorizedRoot, authorizationOf } from '../../machine/start-authorization.ts';
import type { SystemStart } from '../../reports/system-start.ts';
import { callerKey, requireRole } from '../../server/guard.ts';
import { judgeActivate, judgeRollBack } from '../activate/judge-activate.ts';
import type { StartWays } from '../activate/soft/open-start-ways.ts';
import { unblockVersion } from '../blocked-versions.ts';
import type { StageRecord, Stager, UpdateStore } from '../types.ts';
import { type CheckParts, checkUpdates, sourceOf } from './check-updates.ts';
import { choiceMessage, stageMessage, startWayMessage, updateMessage } from './messages.ts';
import { viewUpdate } from './read-update.ts';

export interface UpdateServiceParts extends CheckParts {
  readonly stager: Stager;
  readonly store: UpdateStore;
  readonly machine: Machine;
  readonly start: SystemStart;
  readonly startWays: StartWays;
  /** Of the root that the firmware started; "" when nobody can tell. */
  firmwareRootHash(): Promise<string>;
  readonly policy: () => UpdatePolicy | undefined;
  /** Minor versions of Kubernetes that the node runs, "1.37". */
  kubernetesMinors(): Promise<readonly string[]>;
  /** Whether the firmware would start the version. @throws update/uki-not-trusted */
  assertBootable(version: string): Promise<void>;
  /** Why nothing is remembered over a reboot; undefined when it is. */
  readonly volatileBecause: string | undefined;
}

const DRAIN_MS = 5 * 60_000;

/** updateService gives the routes of plinth.node.v1.UpdateService. */
export function updateService(parts: UpdateServiceParts): (router: ConnectRouter) => void {
  const { stager, store, machine, start, startWays, policy, nowMs } = parts;

  /** Nothing is changed that a reboot under way has begun to rely on. */
  const assertIdle = (verb: string) => {
    const act = machine.current();
    if (isUnderWay(act) && act.state !== 'returning')
      throw new PlinthError(
        'update/act-running',
        `Cannot ${verb}: a ${act.kind} is ${act.state}, expected no act on the machine`,
        { retryable: true },
      );
  };

  /** A version that no firmware has started may not cost the only one that is proven. */
  const assertStarted = async (verb: string) => {
    if (!start.soft) return;
    const { booted } = viewSlots(await stager.readSlotDisk());
    if (booted.state === 'proven') return;
    throw new PlinthError(
      'update/soft-started',
      `Cannot ${verb}: version ${booted.version} was gone to by a soft-reboot, expected one that the firmware has started`,
    );
  };

  return (router) => {
    router.service(UpdateService, {
      getUpdate: async () => {
        const [disk, state] = await Promise.all([stager.readSlotDisk(), stager.readUpdateState()]);
        const update = viewUpdate(disk, state, machine.current(), start.startId);
        const { staged } = update.view;
        return updateMessage(update, {
          ...{ policy: policy(), volatileBecause: parts.volatileBecause },
          startWay: staged && (await startWays.startWay(disk, staged.version)),
          firmwareStarted: start.soft ? versionOf(disk, await parts.firmwareRootHash()) : '',
        });
      },
      checkUpdate: async () => {
        const check = await checkUpdates(parts);
        return create(CheckUpdateResponseSchema, { next: choiceMessage(check, policy(), check.booted) });
      },
      stageUpdate: async function* ({ version }, context) {
        assertIdle('stage a version');
        await assertStarted('stage a version');
        const { bytesPerSecond } = policy() ?? {};
        const progress = stager.stageUpdate({
          source: sourceOf(policy()),
          ...(version !== '' && { version }),
          ...(bytesPerSecond !== undefined && { limits: { bytesPerSecond } }),
          ...{ by: callerName(context), signal: context.signal },
        });
        // Who asked and when stays: read once, not with each piece that has come.
        let record: Pick<StageRecord, 'source' | 'by' | 'askedAtMs'> | undefined;
        for await (const each of progress) {
          record ??= (await stager.readUpdateState()).stage ?? {
            ...{ source: sourceOf(policy()), by: callerName(context), askedAtMs: nowMs() },
          };
          const state = each.phase === 'staged' ? 'staged' : 'running';
          yield create(StageUpdateResponseSchema, {
            stage: stageMessage({ ...record, version: each.version, state, progress: each }, nowMs()),
          });
        }
      },
      cancelUpdate: async () => {
        assertIdle('cancel');
        const staging = (await stager.readUpdateState()).stage;
        const cancelled = await stager.cancelStage();
        const { staged } = viewSlots(await stager.readSlotDisk());
        if (staged) {
          await stager.changeEntries(planCancel);
          await store.change(({ activated, ...state }) => ({
            ...state,
            ...(activated && activated.version !== staged.version && { activated }),
          }));
        }
        const version = staged?.version ?? (cancelled ? (staging?.version ?? staging?.wanted ?? '') : '');
        return create(CancelUpdateResponseSchema, { version });
      },
      activateUpdate: async (request, context) => {
        const { version: wanted, start: choice } = request;
        const asked = reboot(request, context);
        assertIdle('activate');
        await assertStarted('activate');
        const [disk, { stage }, kubernetesMinors] = await Promise.all([
          stager.readSlotDisk(),
          stager.readUpdateState(),
          parts.kubernetesMinors(),
        ]);
        const version = judgeActivate({ disk, stage, kubernetesMinors }, wanted);
        assertAuthorizedRoot(asked.authorization, rootHashOf(disk, version));
        await parts.assertBootable(version);
        const startWay: StartWay =
          choice === StartChoice.FASTEST
            ? await startWays.startWay(disk, version)
            : { way: 'reboot', reasons: ['a full reboot was asked for'] };
        const act = await machine.begin({
          ...asked,
          update: { how: 'activate', version, ...(startWay.way === 'soft-reboot' && { way: startWay.way }) },
        });
        const answer = { version, act: actMessage(act), startWay: startWayMessage(startWay) };
        return create(ActivateUpdateResponseSchema, answer);
      },
      rollBack: async (request, context) => {
        const asked = reboot(request, context);
        assertIdle('roll back');
        const [disk, { stage }] = await Promise.all([stager.readSlotDisk(), stager.readUpdateState()]);
        const toVersion = judgeRollBack({ disk, stage });
        assertAuthorizedRoot(asked.authorization, rootHashOf(disk, toVersion));
        const act = await machine.begin({
          ...asked,
          update: { how: 'roll-back', version: toVersion },
        });
        const fromVersion = disk.booted.version;
        return create(RollBackResponseSchema, { fromVersion, toVersion, act: actMessage(act) });
      },
      unblockVersion: async ({ version }) => {
        await store.change((state) => {
          if (!state.failed.some((each) => each.version === version))
            throw new PlinthError(
              'update/not-blocked',
              `Cannot unblock "${version.slice(0, 100)}": it is not blocked on this node, expected one that is`,
            );
          return { ...state, failed: unblockVersion(state.failed, version) };
        });
        return create(UnblockVersionResponseSchema);
      },
    });
  };
}

/** rootHashOf is what names every bit of a version on this disk; "" when no slot holds it. */
function rootHashOf(disk: SlotDisk, version: string): string {
  return disk.slots.find((slot) => slot.version === version)?.rootHash ?? '';
}

/** versionOf is the version whose slot has a root hash. */
function versionOf(disk: SlotDisk, rootHash: string): string {
  return disk.slots.find((slot) => slot.rootHash === rootHash)?.version || 'another version';
}

function callerName(context: HandlerContext): string {
  return requireRole(context.values.get(callerKey)).commonName;
}

function reboot(
  { reason, override, drain, authorization }: RollBackRequest | ActivateUpdateRequest,
  context: HandlerContext,
): Omit<MachineRequest, 'update'> {
  return {
    ...{ kind: 'reboot', askedBy: callerName(context), reason, override },
    drain: drain && {
      timeoutMs: drain.timeout ? durationMs(drain.timeout) : DRAIN_MS,
      evictUnmanaged: drain.evictUnmanaged,
    },
    authorization: authorizationOf(authorization),
  };
}
