import type { StoredRollout } from '@plinth/fleet';
import type { RolloutChange } from './change-rollout.ts';

type Decide = (rollout: StoredRollout, now: Date) => RolloutChange;

/** pause begins with no further node. */
export const pause: Decide = () => ({
  spec: { paused: true },
  says: 'no further node is begun with; nodes under way finish',
});

/** resume goes on after a pause; a halt stays. */
export const resume: Decide = ({ status }) => ({
  spec: { paused: false },
  says:
    status?.phase === 'Halted'
      ? 'no longer paused, but halted: "plinth rollout promote" lifts a halt'
      : 'goes on',
});

/** haltFor halts for a reason that stays on record. */
export function haltFor(reason: string): Decide {
  return () => ({ spec: { halt: reason }, says: 'halted; nodes under way finish' });
}

/** abortWith ends a rollout, and brings updated nodes back when told to. */
export function abortWith(isRollback: boolean): Decide {
  return ({ name, status }) => {
    const done = status?.counts['Done'] ?? 0;
    return isRollback
      ? {
          spec: { abort: 'Rollback' },
          says: `${done} updated nodes go back, inside the bounds of the policy`,
          question: `Bring ${done} updated nodes of ${name} back? Each is drained and started again.`,
        }
      : {
          spec: { abort: 'Stop' },
          says: 'ended; nodes stay as they are',
          question: `End ${name} with ${done} nodes updated? It cannot go on.`,
        };
  };
}

/** promoteTo lifts a halt; where there is none, it goes to a wave before its time. @param wave as people count, from 1 */
export function promoteTo(wave: number | undefined): Decide {
  return ({ name, spec, status }, now) => {
    const isHalted = status?.phase === 'Halted' || spec.halt !== '';
    const next = Math.max(spec.promotedWave, wave === undefined ? (status?.wave ?? 0) + 1 : wave - 1);
    const lift = isHalted ? { halt: '', clearedHaltAt: now.toISOString() } : {};
    const raise = wave !== undefined || !isHalted ? { promotedWave: next } : {};
    const why = status?.halt?.text ?? spec.halt;
    return {
      spec: { ...lift, ...raise },
      says: [isHalted ? 'the halt is lifted' : '', 'promotedWave' in raise ? `goes to wave ${next + 1}` : '']
        .filter((part) => part !== '')
        .join('; '),
      question: isHalted
        ? `Lift the halt of ${name} (${why})?`
        : `Go to wave ${next + 1} of ${name} without the soak and the health it waits for?`,
    };
  };
}
