import type { Condition, RolloutPhase, StoredRollout } from '@plinth/fleet';
import type { Style } from '../output/style.ts';
import type { Column } from '../output/table.ts';
import { formatDuration } from '../output/units.ts';

/** phaseMark colours a phase by whether a person is waited for. */
export function phaseMark(phase: RolloutPhase | undefined, style: Style): (text: string) => string {
  if (phase === 'Halted' || phase === 'RollingBack') return style.bad;
  if (phase === 'Paused' || phase === 'Stopped') return style.doubtful;
  if (phase === 'Complete') return style.good;
  return phase === 'Superseded' ? style.faint : style.active;
}

/** rolloutColumns are the columns of a list of rollouts. */
export function rolloutColumns(nowMs: number): readonly Column<StoredRollout>[] {
  return [
    { header: 'NAME', value: (each) => each.name },
    { header: 'POLICY', value: (each) => each.spec.policy, wide: true },
    { header: 'RELEASE', value: (each) => each.spec.release, wide: true },
    { header: 'LANE', value: (each) => each.spec.lane },
    {
      header: 'PHASE',
      value: (each) => each.status?.phase ?? 'New',
      mark: (each, style) => phaseMark(each.status?.phase, style),
    },
    { header: 'WAVE', value: (each) => String((each.status?.wave ?? 0) + 1), align: 'right' },
    {
      header: 'DONE',
      value: ({ status }) => (status ? `${status.counts['Done'] ?? 0}/${status.counts['Total'] ?? 0}` : ''),
      align: 'right',
    },
    { header: 'BOUND', value: (each) => each.status?.bound?.name ?? '', wide: true },
    {
      header: 'LEFT',
      value: ({ status }) =>
        status?.etaSeconds === undefined ? '' : formatDuration(status.etaSeconds * 1000),
      align: 'right',
    },
    { header: 'AGE', value: (each) => formatDuration(nowMs - each.createdAtMs), align: 'right' },
  ];
}

/** unreadableText says which objects were left out, and why that matters. */
export function unreadableText(names: readonly string[]): string {
  const some = names.slice(0, 5).join(', ');
  return `Left out, since they do not follow their schema: ${some}${names.length > 5 ? ` and ${names.length - 5} more` : ''}. The operator leaves them out too.`;
}

/** Conditions that are well while they are True; of all others, True is what a person looks at. */
const GOOD_WHEN_TRUE = ['Progressing', 'ReleaseFound'];

/** troubles keeps the conditions that say that something is wrong. "Progressing" says what the phase says. */
export function troubles(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.filter(({ type, status }) =>
    GOOD_WHEN_TRUE.includes(type) ? type !== 'Progressing' && status === 'False' : status === 'True',
  );
}
