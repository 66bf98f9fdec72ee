import type { ConfigState, Effect } from './state.ts';
import type { BootTime } from './transitions.ts';

/** plinthd itself: it is not told to restart by a unit command that would end it in the middle of one. */
export const OWN_UNIT = 'plinthd.service';

/** What a change asks of the machine. */
export interface Demand {
  readonly effects: readonly Effect[];
  /** Files of the config that is to be in effect. */
  readonly paths: readonly string[];
}

/**
 * addWork joins a decision with what has to be done for it. What an earlier decision of this boot left undone stays on
 * the list: the units may have read either config. After a reboot nothing of it matters any more.
 */
export function addWork(state: ConfigState, boot: BootTime, { effects, paths }: Demand): ConfigState {
  const left = state.work.bootId === boot.bootId ? state.work : { effects: [], reboot: [] };
  const added = effects.filter(({ kind }) => kind === 'reload' || kind === 'restart');
  const reboot = effects.flatMap((each) => (each.kind === 'reboot' ? [each.why] : []));
  return {
    ...state,
    work: {
      bootId: boot.bootId,
      done: false,
      effects: strongest([...left.effects, ...added]),
      owned: [...new Set([...state.work.owned, ...paths])].sort(),
      reboot: [...new Set([...left.reboot, ...reboot])],
    },
  };
}

/** atBoot are the effects of a config on a machine that has none of its files yet: units that were faster read them again. */
export function atBoot(effects: readonly Effect[]): readonly Effect[] {
  return effects.filter(
    (each) => each.kind !== 'reboot' && !(each.kind === 'restart' && each.unit === OWN_UNIT),
  );
}

/** workDone strikes everything off the list. @param paths the files that are on the machine now */
export function workDone(state: ConfigState, paths: readonly string[]): ConfigState {
  return { ...state, work: { ...state.work, done: true, effects: [], owned: [...paths].sort() } };
}

/**
 * resumeWork is the work that a plinthd finds when it starts: a new process has read the config, so that it need not
 * start anew for it.
 */
export function resumeWork(state: ConfigState): ConfigState {
  const effects = state.work.effects.filter((each) => !('unit' in each && each.unit === OWN_UNIT));
  return { ...state, work: { ...state.work, effects } };
}

/** Each unit once: a restart reads the files again, too. plinthd comes last, for it ends the one who counts. */
function strongest(effects: readonly Effect[]): Effect[] {
  const byUnit = new Map<string, Effect>();
  for (const each of effects) {
    if (each.kind !== 'reload' && each.kind !== 'restart') continue;
    if (byUnit.get(each.unit)?.kind !== 'restart') byUnit.set(each.unit, each);
  }
  const units = [...byUnit.entries()];
  return [...units.filter(([unit]) => unit !== OWN_UNIT), ...units.filter(([unit]) => unit === OWN_UNIT)].map(
    ([, effect]) => effect,
  );
}
