import { resolve } from 'node:path';
import {
  type AppliedWaiver,
  currentWaivers,
  type RolloutClock,
  readObservations,
  readWaivers,
  rolloutClocks,
} from '@plinth/advisory';
import { openAnchors } from '../flows/trust-anchors.ts';
import type { CommandContext } from '../framework/context.ts';
import { type Block, plainText, table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';

/** What a folder of the watch keeps beside reports: people's words, and how far fixes have come. */
export interface Kept {
  readonly waivers: readonly AppliedWaiver[];
  readonly rollout: readonly RolloutClock[];
  /** Lines that were not believed. */
  readonly problems: readonly string[];
}

/** readKept reads a folder; nothing for undefined. @throws trust/…, advisory/subject-invalid, host/io */
export async function readKept(
  folder: string | undefined,
  trust: string | undefined,
  now: Date,
  env: CommandContext['env'],
): Promise<Kept> {
  if (folder === undefined) return { waivers: [], rollout: [], problems: [] };
  const trusted = (await openAnchors(trust, env))?.certificates('release') ?? [];
  const path = resolve(folder);
  const waivers = await readWaivers(path, trusted);
  const seen = await readObservations(path, trusted);
  return {
    waivers: currentWaivers(waivers.values, now),
    rollout: rolloutClocks(seen.values),
    problems: [...waivers.problems, ...seen.problems],
  };
}

/**
 * showKept draws the clocks of nodes, waivers that ended, and what was not believed.
 * @param fold identifiers whose fixes came together share a line
 */
export function showKept({ waivers, rollout, problems }: Kept, fold: boolean): Block[] {
  return [
    ...(rollout.length === 0 ? [] : [rolloutTable(rollout, fold)]),
    ...expiredLines(waivers),
    ...(problems.length === 0 ? [] : [plainText(['Not believed:', ...problems].join('\n  '))]),
  ];
}

/** waiversTable lists waivers, those that ended too. */
export function waiversTable(waivers: readonly AppliedWaiver[]): Block {
  return table(
    [
      { header: 'ID', value: ({ id }: AppliedWaiver) => id },
      {
        header: 'STATE',
        value: ({ state }) => state,
        mark: ({ state }, style) => (state === 'active' ? style.good : style.bad),
      },
      { header: 'UNTIL', value: ({ until }) => until.slice(0, 16).replace('T', ' ') },
      { header: 'AUTHOR', value: ({ author }) => author },
      { header: 'REASON', value: ({ reason }) => reason },
    ],
    waivers,
    'Nothing is waived.',
  );
}

function expiredLines(waivers: readonly AppliedWaiver[]): Block[] {
  const ended = waivers.filter(({ state }) => state === 'expired');
  if (ended.length === 0) return [];
  return [
    plainText(
      ended
        .map(({ id, until }) => `The waiver of ${id} ended at ${until}: its clock counts again.`)
        .join('\n'),
    ),
  ];
}

/** Clocks of one line. */
interface Line extends RolloutClock {
  readonly count: number;
}

function linesOf(clocks: readonly RolloutClock[], fold: boolean): Line[] {
  const groups = Map.groupBy(clocks, ({ id, fixAvailableAt: _, ...same }) =>
    fold ? JSON.stringify(same) : id,
  );
  return [...groups.values()]
    .flatMap((group): Line[] => (group[0] ? [{ ...group[0], count: group.length }] : []))
    .sort((a, b) => Number(a.at100 !== undefined) - Number(b.at100 !== undefined) || (a.id < b.id ? -1 : 1));
}

function rolloutTable(clocks: readonly RolloutClock[], fold: boolean): Block {
  // Durations count from the image, where there is one; the instants are in -o json and -o wide.
  const span = (clock: RolloutClock, at: string | undefined) => {
    const start = clock.publishedAt;
    if (at === undefined) return 'not yet';
    return start === undefined
      ? at.slice(0, 16).replace('T', ' ')
      : formatDuration(Math.max(0, Date.parse(at) - Date.parse(start)));
  };
  return table(
    [
      {
        header: 'FIX ON NODES',
        value: ({ id, count }: Line) => (count === 1 ? id : `${count}: ${id} …`),
      },
      {
        header: 'PUBLISHED',
        value: ({ publishedAt }) => publishedAt?.slice(0, 16).replace('T', ' ') ?? 'unknown',
      },
      {
        header: 'NODES',
        value: ({ done, notDone, untold }) =>
          `${done}/${done + notDone + untold}${untold > 0 ? `, ${untold} unknown` : ''}`,
      },
      { header: '50 %', value: (clock) => span(clock, clock.at50) },
      { header: '95 %', value: (clock) => span(clock, clock.at95) },
      {
        header: '100 %',
        value: (clock) => span(clock, clock.at100),
        mark: ({ at100 }, style) => (at100 === undefined ? style.doubtful : style.good),
      },
      {
        header: 'OLD CODE',
        value: (clock) =>
          clock.oldCode.state === 'gone'
            ? `gone, ${span(clock, clock.oldCode.at)}`
            : `${clock.oldCode.state} (${clock.oldCode.nodes})`,
      },
      { header: 'FIX AVAILABLE', value: ({ fixAvailableAt }) => fixAvailableAt ?? '-', wide: true },
      { header: '100 % AT', value: ({ at100 }) => at100 ?? '-', wide: true },
    ],
    linesOf(clocks, fold),
  );
}
