import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ConfigEffect,
  ConfigEffectKind,
  ConfigEffectSchema,
  ConfigFileAction,
  ConfigMode,
  ConfigOutcome,
  type ConfigPlan,
  ConfigPlanSchema,
  type ConfigRevision,
  ConfigRevisionSchema,
  type ConfigTrial,
  ConfigTrialSchema,
} from '@plinth/api';
import type { Effect } from '@plinth/config';
import type { AskedMode, PlannedChange } from './transaction/operations.ts';
import type { ConfigState, Mode, Revision } from './transaction/state.ts';
import type { BootTime } from './transaction/transitions.ts';

const MODES: Readonly<Record<Mode, ConfigMode>> = {
  auto: ConfigMode.AUTO,
  staged: ConfigMode.STAGED,
  try: ConfigMode.TRY,
  provisioning: ConfigMode.UNSPECIFIED,
};
const OUTCOMES: Readonly<Record<Revision['outcome'], ConfigOutcome>> = {
  staged: ConfigOutcome.STAGED,
  trial: ConfigOutcome.TRIAL,
  settling: ConfigOutcome.SETTLING,
  good: ConfigOutcome.GOOD,
  reverted: ConfigOutcome.REVERTED,
  dropped: ConfigOutcome.DROPPED,
};
const EFFECTS: Readonly<Record<Effect['kind'], ConfigEffectKind>> = {
  live: ConfigEffectKind.LIVE,
  reload: ConfigEffectKind.RELOAD,
  restart: ConfigEffectKind.RESTART,
  reboot: ConfigEffectKind.REBOOT,
};

/** modeMessage is a mode in the words of the contract; unspecified where there is none. */
export function modeMessage(mode: Mode | undefined): ConfigMode {
  return mode === undefined ? ConfigMode.UNSPECIFIED : MODES[mode];
}

/** askedMode is the mode a client names; undefined for unspecified, which leaves the choice to the node, and for one it does not know. */
export function askedMode(mode: ConfigMode): AskedMode | undefined {
  return (['auto', 'staged', 'try'] as const).find((each) => MODES[each] === mode);
}

/** revisionMessage describes a revision. @param seesText whether the caller may see its text: the hash lets anybody try weak secrets */
export function revisionMessage(state: ConfigState, revision: Revision, seesText: boolean): ConfigRevision {
  return create(ConfigRevisionSchema, {
    revision: revision.revision,
    hash: seesText ? revision.hash : '',
    author: revision.author,
    reason: revision.reason,
    mode: MODES[revision.mode],
    appliedAt: timestampFromMs(revision.appliedAtMs),
    outcome: OUTCOMES[revision.outcome],
    note: revision.note,
    current: revision.revision === state.current,
    lastKnownGood: revision.revision === state.lastKnownGood,
    sizeBytes: revision.sizeBytes,
  });
}

/** trialMessage describes the open transaction; undefined when there is none. */
export function trialMessage(
  { trial }: ConfigState,
  boot: BootTime,
  obstacles: readonly string[],
): ConfigTrial | undefined {
  if (!trial) return undefined;
  return create(ConfigTrialSchema, {
    revision: trial.revision,
    previousRevision: trial.previous,
    needsConfirmation: trial.until === 'confirmed',
    remaining: durationFromMs(Math.max(0, trial.deadlineMs - boot.upMs)),
    obstacles: trial.until === 'healthy' ? [...obstacles] : [],
  });
}

/** planMessage renders a plan; its values are free of secrets already. */
export function planMessage({ plan, defaultMode, baseHash }: PlannedChange): ConfigPlan {
  return create(ConfigPlanSchema, {
    changes: plan.changes.map(({ kind, path, from, to, secret, effect }) => ({
      ...{ kind, path, secret, effect: effectMessage(effect) },
      ...(from !== undefined && { from: JSON.stringify(from) }),
      ...(to !== undefined && { to: JSON.stringify(to) }),
    })),
    files: plan.files.map(({ path, action }) => ({
      path,
      action: action === 'write' ? ConfigFileAction.WRITE : ConfigFileAction.REMOVE,
    })),
    effects: plan.effects.map(effectMessage),
    touchesNetwork: plan.touchesNetwork,
    defaultMode: MODES[defaultMode],
    baseHash,
  });
}

function effectMessage(effect: Effect): ConfigEffect {
  return create(ConfigEffectSchema, {
    kind: EFFECTS[effect.kind],
    unit: 'unit' in effect ? effect.unit : '',
    why: effect.kind === 'reboot' ? effect.why : '',
  });
}
