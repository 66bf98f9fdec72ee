import { unreachable } from '@plinth/base';
import { factsAt } from '../facts/at-date.ts';
import type { Knowledge } from '../facts/load.ts';
import type { SubjectFile } from '../facts/schema.ts';
import type { Method, Move, Moves } from './move-schema.ts';

/** From where to where. */
export interface Leg {
  readonly from: SubjectFile;
  readonly to: SubjectFile;
  /** Id of the platform the nodes are on now. */
  readonly platform: string;
}

/** The way that leads there. */
export interface ChosenMove {
  readonly move: Move;
  readonly method: Method;
  /** The platform the target will run on. */
  readonly targetPlatform: string;
  /** Whether the target does not run on the platform of the pool. */
  readonly crossing: boolean;
}

/** chooseMove is the first way of the data that fits; the last one fits always. */
export function chooseMove(knowledge: Knowledge, moves: Moves, leg: Leg, asOf: string): ChosenMove {
  const offered = platformsOf(knowledge, leg.to, asOf);
  const crossing = offered.length > 0 && !offered.includes(leg.platform);
  const elsewhere = crossing && wasNeverThere(leg);
  const targetPlatform = elsewhere ? (offered[0] ?? leg.platform) : leg.platform;
  const move = moves.moves.find(
    ({ on, from, to, crossing: whenCrossing }) =>
      (on === undefined || (on.includes(leg.platform) && !elsewhere)) &&
      (from === undefined || from.includes(leg.from.id)) &&
      (to === undefined || to.includes(leg.to.id)) &&
      (whenCrossing === undefined || elsewhere),
  );
  const method = moves.methods.find(({ id }) => id === move?.way);
  if (!move || !method) unreachable('no way in data/moves.yaml fits');
  return { move, method, targetPlatform, crossing: elsewhere };
}

/** Whether no fact at any time says that the target ran on the platform of the pool; one that was withdrawn did. */
function wasNeverThere({ to, platform }: Leg): boolean {
  return !(to.facts['platforms'] ?? []).some(({ value }) => [value].flat().includes(platform));
}

/** The platforms a system runs on at a date. */
function platformsOf(knowledge: Knowledge, system: SubjectFile, asOf: string): readonly string[] {
  const value = factsAt(knowledge, system, asOf).get('platforms')?.value;
  return value === undefined ? [] : [value].flat().map(String);
}
