import {
  type ConfigState,
  HISTORY_LIMIT,
  type Mode,
  needed,
  type Outcome,
  type Revision,
  revisionOf,
  type Trial,
} from './state.ts';

/** Time a config has to reach health in; a boot under emulation takes minutes. */
export const HEALTH_LIMIT_MS = 15 * 60_000;

/** The boot that runs, and how long it has. */
export interface BootTime {
  readonly bootId: string;
  /** Milliseconds since the kernel started. */
  readonly upMs: number;
}

/** A config on its way in. */
export interface Candidate {
  readonly hash: string;
  /** Names what the machine was given, where the text was made from it by rules that a release may change. */
  readonly givenHash?: string;
  readonly sizeBytes: number;
  readonly source: string;
  readonly author: string;
  readonly reason: string;
  readonly appliedAtMs: number;
  /** Checks that fail without it. */
  readonly failingBefore: readonly string[];
}

/** A decision: the state after it, and what people are told. */
export interface Transition {
  readonly state: ConfigState;
  readonly said: readonly string[];
}

/** firstState is a node that gets its first config. It has no way back, so it is on no trial. */
export function firstState(given: Candidate, boot: BootTime): Transition {
  const state: ConfigState = {
    version: 1,
    nextRevision: 2,
    current: 1,
    provisioned: provisionedAs(given),
    work: { bootId: boot.bootId, done: false, effects: [], owned: [], reboot: [] },
    history: [revision(1, given, 'provisioning', 'settling')],
  };
  return { state, said: [] };
}

/** By what a config that the machine is given is known again. */
function provisionedAs({ source, hash, givenHash }: Candidate) {
  return { source, hash: givenHash ?? hash };
}

/** begin puts a config into effect, on trial. The caller has made sure that no other transaction is open. */
export function begin(
  state: ConfigState,
  given: Candidate,
  mode: 'auto' | 'try' | 'provisioning',
  boot: BootTime,
  withinMs: number,
): Transition {
  const next = state.nextRevision;
  const confirmed = mode === 'try';
  const trial: Trial = {
    revision: next,
    // A config that has proven itself is the way back from one that starts a boot; else the one in effect.
    previous: mode === 'provisioning' ? (state.lastKnownGood ?? state.current) : state.current,
    until: confirmed ? 'confirmed' : 'healthy',
    bootId: boot.bootId,
    deadlineMs: boot.upMs + withinMs,
    bootsLeft: mode === 'auto' ? 1 : 0,
    failingBefore: [...given.failingBefore],
  };
  const dropped = dropStaged(state, 'another config took effect first').state;
  return {
    state: remember(
      {
        ...dropped,
        nextRevision: next + 1,
        current: next,
        trial,
        ...(mode === 'provisioning' && { provisioned: provisionedAs(given) }),
      },
      revision(next, given, mode, confirmed ? 'trial' : 'settling'),
    ),
    said: [
      `revision ${next} by ${given.author} takes effect, ${confirmed ? `goes back in ${seconds(withinMs)} unless confirmed` : 'goes back unless the node reaches health'}`,
    ],
  };
}

/** stage keeps a config for the next boot; it takes the place of one that was staged before. */
export function stage(state: ConfigState, given: Candidate, boot: BootTime): Transition {
  const next = state.nextRevision;
  const { state: dropped } = dropStaged(state, `revision ${next} was staged in its place`);
  const staged = { revision: next, bootId: boot.bootId, failingBefore: [...given.failingBefore] };
  return {
    state: remember(
      { ...dropped, nextRevision: next + 1, staged },
      revision(next, given, 'staged', 'staged'),
    ),
    said: [`revision ${next} by ${given.author} is staged for the next boot`],
  };
}

/** dropStaged forgets what waits for the next boot. */
export function dropStaged(state: ConfigState, why: string): Transition {
  if (!state.staged) return { state, said: [] };
  const { staged, ...rest } = state;
  return {
    state: outcome(rest, staged.revision, 'dropped', why),
    said: [`staged revision ${staged.revision} is dropped: ${why}`],
  };
}

/** prove ends a trial well, and makes a first config known as good: by `confirmed` or because health was reached. */
export function prove(state: ConfigState, how: string): Transition {
  const { trial, ...rest } = state;
  if (!trial && state.lastKnownGood === state.current) return { state, said: [] };
  return {
    state: outcome({ ...rest, lastKnownGood: state.current }, state.current, 'good', ''),
    said: trial ? [`revision ${state.current} stays: ${how}`] : [],
  };
}

/** goBack ends a trial badly. Without an open trial nothing happens. */
export function goBack(state: ConfigState, why: string): Transition {
  const { trial, ...rest } = state;
  if (!trial) return { state, said: [] };
  return {
    state: outcome({ ...rest, current: trial.previous }, trial.revision, 'reverted', why),
    said: [`back on revision ${trial.previous}: revision ${trial.revision} ${why}`],
  };
}

/** stay ends a trial that cannot be taken back, for what it would go back to is lost: the node keeps what it has. */
export function stay(state: ConfigState, why: string): Transition {
  const { trial, ...rest } = state;
  if (!trial) return { state, said: [] };
  return {
    state: outcome(rest, trial.revision, 'settling', why),
    said: [`revision ${trial.revision} stays although it failed: ${why}`],
  };
}

/** isLate tells whether the trial has used up its time. A deadline of another boot has passed with that boot. */
export function isLate({ trial }: ConfigState, { bootId, upMs }: BootTime): boolean {
  return trial !== undefined && (trial.bootId !== bootId || upMs >= trial.deadlineMs);
}

/** What people are told when a trial has used up its time. */
export function lateBecause({ until }: Trial): string {
  return until === 'confirmed' ? 'was not confirmed in time' : 'did not reach health in time';
}

/**
 * atStart decides what a plinthd that starts makes of the state it finds: first of the trial, then of a config that was
 * given to the machine anew, then of one that is staged.
 * @param given the config the machine is provisioned with, when it is a valid one
 */
export function atStart(state: ConfigState, boot: BootTime, given?: Candidate): Transition {
  const settled = settleTrial(state, boot);
  const news = given && provisionedAs(given).hash !== settled.state.provisioned?.hash ? given : undefined;
  if (news) {
    const after = goBack(settled.state, 'gave way to a newly provisioned config');
    if (revisionOf(after.state, after.state.current)?.hash === news.hash) {
      return {
        state: { ...after.state, provisioned: provisionedAs(news) },
        said: [...settled.said, ...after.said],
      };
    }
    const begun = begin(after.state, news, 'provisioning', boot, HEALTH_LIMIT_MS);
    return { state: begun.state, said: [...settled.said, ...after.said, ...begun.said] };
  }
  const { staged } = settled.state;
  if (!staged || staged.bootId === boot.bootId || settled.state.trial) return settled;
  const begun = beginStaged(settled.state, staged, boot);
  return { state: begun.state, said: [...settled.said, ...begun.said] };
}

function beginStaged(
  { staged: _taken, ...state }: ConfigState,
  { revision: number, failingBefore }: NonNullable<ConfigState['staged']>,
  boot: BootTime,
): Transition {
  const trial: Trial = {
    revision: number,
    previous: state.lastKnownGood ?? state.current,
    until: 'healthy',
    bootId: boot.bootId,
    deadlineMs: boot.upMs + HEALTH_LIMIT_MS,
    bootsLeft: 0,
    failingBefore,
  };
  return {
    state: outcome({ ...state, current: number, trial }, number, 'settling', ''),
    said: [`staged revision ${number} takes effect, goes back unless the node reaches health`],
  };
}

/** A trial found at the start: it goes on within its boot and time; one more boot is given where it has one left. */
function settleTrial(state: ConfigState, boot: BootTime): Transition {
  const { trial } = state;
  if (!trial) return { state, said: [] };
  if (trial.bootId !== boot.bootId) {
    if (trial.bootsLeft === 0) {
      const why =
        trial.until === 'confirmed'
          ? 'was not confirmed before the machine restarted'
          : 'did not reach health before the machine restarted';
      return goBack(state, why);
    }
    const again = { bootId: boot.bootId, deadlineMs: boot.upMs + HEALTH_LIMIT_MS };
    return { state: { ...state, trial: { ...trial, ...again, bootsLeft: trial.bootsLeft - 1 } }, said: [] };
  }
  return isLate(state, boot) ? goBack(state, lateBecause(trial)) : { state, said: [] };
}

function revision(number: number, given: Candidate, mode: Mode, result: Outcome): Revision {
  const { failingBefore: _checks, givenHash: _given, ...rest } = given;
  return { ...rest, revision: number, mode, outcome: result, note: '' };
}

function outcome(state: ConfigState, number: number, result: Outcome, note: string): ConfigState {
  const history = state.history.map((each) =>
    each.revision === number ? { ...each, outcome: result, note } : each,
  );
  return { ...state, history };
}

/** Adds to the history; forgets the oldest that nothing depends on. */
function remember(state: ConfigState, added: Revision): ConfigState {
  const keep = needed(state);
  const history = [...state.history, added];
  while (history.length > HISTORY_LIMIT) {
    const oldest = history.findIndex(
      ({ revision: number }) => number !== added.revision && !keep.has(number),
    );
    if (oldest < 0) break;
    history.splice(oldest, 1);
  }
  return { ...state, history };
}

function seconds(durationMs: number): string {
  return `${Math.round(durationMs / 1000)} s`;
}
