import type { Advice } from '../advise/advise.ts';
import type { Knowledge } from '../facts/load.ts';
import { chooseMove } from './choose-move.ts';
import type { Moves } from './move-schema.ts';

/** What it takes to go from the first choice to another one later. */
export interface ChangeCost {
  readonly from: string;
  readonly to: string;
  readonly way: string;
  readonly effort: string;
  readonly reason: string;
}

/** changeCosts tells the way out of the first choice to each other that is left, on the first platform of the answers. */
export function changeCosts(knowledge: Knowledge, moves: Moves, advice: Advice): readonly ChangeCost[] {
  const [platform] = [advice.answers['platform'] ?? []].flat();
  const left = advice.choices.filter(({ standing }) => standing !== 'out').map(({ system }) => system);
  const [from] = left;
  if (!from || platform === undefined) return [];
  return left.slice(1).map((to) => {
    const { move, method } = chooseMove(knowledge, moves, { from, to, platform }, advice.asOf);
    return {
      from: from.name,
      to: to.name,
      way:
        move.inPlace === 'yes' ? 'in place' : move.inPlace === 'no' ? method.title : 'in place, unverified',
      effort: method.effort,
      reason: move.reason,
    };
  });
}
