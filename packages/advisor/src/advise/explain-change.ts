import type { Advice } from './advise.ts';
import type { Finding } from './judge.ts';
import type { Choice } from './rank.ts';

/** Why a system stands elsewhere on one day than on another. */
export interface Change {
  readonly system: string;
  readonly name: string;
  /** What it was: its place, "out", or "not known". */
  readonly was: string;
  readonly is: string;
  /** Reasons that hold now and did not then. */
  readonly came: readonly Finding[];
  /** Reasons that held then and do not now. */
  readonly went: readonly Finding[];
}

/** explainChange compares two answers to the same questions and names the facts that made the difference. */
export function explainChange(earlier: Advice, later: Advice): readonly Change[] {
  const ids = new Set([...earlier.choices, ...later.choices].map(({ system }) => system.id));
  return [...ids].flatMap((id) => {
    const before = earlier.choices.find(({ system }) => system.id === id);
    const after = later.choices.find(({ system }) => system.id === id);
    const system = (before ?? after)?.system;
    if (!system || placeOf(before) === placeOf(after)) return [];
    const held = settled(before);
    const hold = settled(after);
    return [
      {
        system: id,
        name: system.name,
        was: placeOf(before),
        is: placeOf(after),
        came: hold.filter((one) => !held.some((other) => isSame(one, other))),
        went: held.filter((one) => !hold.some((other) => isSame(one, other))),
      },
    ];
  });
}

function placeOf(choice: Choice | undefined): string {
  if (!choice) return 'not known';
  return choice.place === undefined ? 'out' : String(choice.place);
}

function settled(choice: Choice | undefined): readonly Finding[] {
  return (choice?.findings ?? []).filter(({ state }) => state === 'true');
}

function isSame(a: Finding, b: Finding): boolean {
  return a.rule.id === b.rule.id && a.text === b.text;
}
