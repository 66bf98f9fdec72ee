import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  BootEndKind,
  BootState,
  type FallBackSchema,
  GetUpdateResponseSchema,
  type HealthContractSchema,
  HealthContractState,
  type StartWaySchema,
  type SystemVersionSchema,
  type UpdateChoiceSchema,
  UpdatePhase,
  type UpdateStageSchema,
} from '@plinth/api';
import { describeCode, isErrorCode } from '@plinth/base';
import type { UpdatePolicy } from '@plinth/config';
import type { StartWay, VersionInSlot } from '@plinth/updates';
import { checkMessage } from '../../checks/check-message.ts';
import { bootEndKinds } from '../../machine/boot-end-kinds.ts';
import { actMessage } from '../../machine/machine-service.ts';
import { stampFromMs } from '../../system/times.ts';
import { type ContractRecord, contractLimitMs } from '../health/contract-record.ts';
import type { FallBackRecord } from '../health/fall-back-record.ts';
import { isOnTrial } from '../health/run-contract.ts';
import type { StageProgress, StageRecord } from '../types.ts';
import type { LastCheck } from './last-check.ts';
import { type Phase, stagePhase, type UpdateView } from './read-update.ts';

const phases: Readonly<Record<Phase, UpdatePhase>> = {
  idle: UpdatePhase.IDLE,
  checking: UpdatePhase.CHECKING,
  downloading: UpdatePhase.DOWNLOADING,
  verifying: UpdatePhase.VERIFYING,
  staged: UpdatePhase.STAGED,
  draining: UpdatePhase.DRAINING,
  rebooting: UpdatePhase.REBOOTING,
  assessing: UpdatePhase.ASSESSING,
  committed: UpdatePhase.COMMITTED,
  'rolled-back': UpdatePhase.ROLLED_BACK,
  failed: UpdatePhase.FAILED,
};
const bootStates = {
  proven: BootState.GOOD,
  trial: BootState.TRIAL,
  failed: BootState.BAD,
  none: BootState.UNSPECIFIED,
} as const;
const contractStates = {
  running: HealthContractState.RUNNING,
  held: HealthContractState.HELD,
  broken: HealthContractState.BROKEN,
} as const;
/** What is stored is of any version of plinthd. */
const ends: Readonly<Record<string, BootEndKind>> = bootEndKinds;

/** What is known of updates beside what the disk and the memory tell. */
export interface UpdateAround {
  readonly policy: UpdatePolicy | undefined;
  /** Why nothing is remembered; undefined when it is. */
  readonly volatileBecause: string | undefined;
  /** Of the staged version. */
  readonly startWay: StartWay | undefined;
  /** The version that the firmware started, where it is not the booted one. */
  readonly firmwareStarted: string;
}

/** updateMessage renders what is known of updates. */
export function updateMessage(
  { view, state, phase, act, contract }: UpdateView,
  { policy, volatileBecause, startWay, firmwareStarted }: UpdateAround,
) {
  const { stage, fallBack } = state;
  const onTrial = isOnTrial(view);
  return create(GetUpdateResponseSchema, {
    phase: phases[phase],
    // A boot with the last try has an entry without any: it is on trial all the same.
    booted: { ...versionMessage(view.booted), ...(onTrial && { state: BootState.TRIAL }) },
    ...(view.staged && { staged: versionMessage(view.staged) }),
    ...(view.rollback && { rollback: versionMessage(view.rollback) }),
    ...{ channel: policy?.channel ?? '', sources: [...(policy?.sources ?? [])] },
    next: choiceMessage(state.lastCheck, policy, view.booted.version),
    ...(stage && { stage: stageMessage(stage, undefined) }),
    blocked: state.failed.map(({ version, atMs, reason, code = 'update/fell-back', by = '' }) => ({
      ...{ version, blockedBy: by, since: stampFromMs(atMs) },
      reason: failure(code, reason),
    })),
    ...(fallBack && { lastFallBack: fallBackMessage(fallBack) }),
    ...(contract && { contract: contractMessage(contract) }),
    writeProtectedSlots: [...view.writeProtected],
    volatileBecause: volatileBecause ?? '',
    ...(act && { act: actMessage(act) }),
    ...(startWay && { startWay: startWayMessage(startWay) }),
    firmwareStarted,
  });
}

/** startWayMessage renders how a version can be started. */
export function startWayMessage(startWay: StartWay): MessageInitShape<typeof StartWaySchema> {
  return startWay.way === 'soft-reboot'
    ? { softReboot: true }
    : { softReboot: false, reasons: [...startWay.reasons] };
}

function versionMessage(found: VersionInSlot): MessageInitShape<typeof SystemVersionSchema> {
  const { version, rootHash, slot, state, triesLeft, triesDone } = found;
  return { version, rootHash, slot, state: bootStates[state], triesLeft, triesDone };
}

/** choiceMessage says what comes next by the last question; another channel or version since makes the answer worthless. */
export function choiceMessage(
  check: LastCheck | undefined,
  policy: UpdatePolicy | undefined,
  booted: string,
): MessageInitShape<typeof UpdateChoiceSchema> {
  if (!policy)
    return {
      reasons: [failure('update/no-policy', 'The machine config names no source of versions (UpdatePolicy)')],
    };
  const own = check?.channel === policy.channel && check.booted === booted ? check : undefined;
  if (!own || (own.checkedAtMs === undefined && !own.failure))
    return {
      reasons: [
        failure('update/never-checked', `The node has not asked what channel ${policy.channel} offers yet`),
      ],
    };
  return {
    ...{ version: own.version, newest: own.newest, reasons: [...own.reasons] },
    ...(own.checkedAtMs !== undefined && { checkedAt: stampFromMs(own.checkedAtMs) }),
    ...(own.failure && { checkFailure: own.failure }),
  };
}

/** stageMessage renders a staging. @param nowMs for the time it has taken; undefined when it is not known */
export function stageMessage(
  record: StageRecord,
  nowMs: number | undefined,
): MessageInitShape<typeof UpdateStageSchema> {
  const { progress, by, askedAtMs, version = record.wanted ?? '', failure: why } = record;
  return {
    ...{ version, phase: phases[stagePhase(record)], askedBy: by, askedAt: stampFromMs(askedAtMs) },
    ...bytes(progress, record.state === 'staged'),
    ...(nowMs !== undefined && { elapsed: durationFromMs(Math.max(0, nowMs - askedAtMs)) }),
    note: record.state === 'running' ? notes[progress.phase] : '',
    ...(why && { failure: failure(why.code, why.message) }),
    ...(record.state === 'cancelled' && { failure: failure('update/cancelled', 'Staging was cancelled') }),
  };
}

const notes: Readonly<Record<StageProgress['phase'], string>> = {
  metadata: 'asks the repository',
  prepare: 'makes the slot ready',
  compare: 'compares the hash tree with both slots',
  write: 'copies and fetches blocks',
  verify: 'reads the slot back',
  finish: 'labels the slot',
  staged: '',
};

/** @param whole it is over: what is told is of the whole release, not of a phase */
function bytes(progress: StageProgress, whole: boolean) {
  const { bytesDone, bytesTotal, bytesCopied, bytesFetched, bytesSaved } = progress;
  const saved = Math.max(0, bytesSaved);
  const [done, total] = whole ? [bytesFetched + saved, bytesFetched + saved] : [bytesDone, bytesTotal];
  return {
    ...{ doneBytes: BigInt(done), totalBytes: BigInt(total), copiedBytes: BigInt(bytesCopied) },
    ...{ fetchedBytes: BigInt(bytesFetched), savedBytes: BigInt(saved) },
  };
}

function contractMessage(record: ContractRecord): MessageInitShape<typeof HealthContractSchema> {
  const { version, bootId, state, beganAtMs, decidedAtMs, checks } = record;
  const deadlineMs = contractLimitMs(record);
  return {
    ...{ version, bootId, state: contractStates[state], checks: checks.map(checkMessage) },
    ...(beganAtMs > 0 && { beganAt: stampFromMs(beganAtMs) }),
    ...(decidedAtMs !== undefined && { decidedAt: stampFromMs(decidedAtMs) }),
    ...(deadlineMs !== undefined && { deadline: durationFromMs(deadlineMs) }),
  };
}

function fallBackMessage(record: FallBackRecord): MessageInitShape<typeof FallBackSchema> {
  const { from, to, foundAtMs, code, reason, end, boots, tries, checks } = record;
  const time = (ms: number | undefined) => (ms === undefined ? undefined : stampFromMs(ms));
  return {
    ...{ fromVersion: from, toVersion: to, foundAt: stampFromMs(foundAtMs), tries },
    reason: failure(code, reason),
    ...(end && {
      end: { kind: ends[end.kind] ?? BootEndKind.UNKNOWN, evidence: [...end.evidence] },
    }),
    boots: boots.map(({ bootId, beganAtMs, endedAtMs, journal }) => {
      const [beganAt, endedAt] = [time(beganAtMs), time(endedAtMs)];
      return { bootId, journal, ...(beganAt && { beganAt }), ...(endedAt && { endedAt }) };
    }),
    checks: checks.map(checkMessage),
  };
}

/** failure is a code with its message and the action that its documentation names. */
export function failure(code: string, message: string) {
  return { code, message, hint: isErrorCode(code) ? describeCode(code).fix : '' };
}
