import { dependsOnPlatform, type Fact, factsAt } from '../facts/at-date.ts';
import type { Knowledge } from '../facts/load.ts';
import type { Source, SubjectFile } from '../facts/schema.ts';
import type { FactValue } from '../facts/vocabulary.ts';
import { type Answer, evaluate, factsOf, type Verdict, type World } from './condition.ts';
import type { Rule } from './rule-schema.ts';

/** Answers by question; what is not there was not answered. */
export type Answers = Readonly<Record<string, Answer | undefined>>;

/** What one rule says of one system. */
export interface Finding {
  readonly rule: Rule;
  readonly source: Source;
  readonly state: Verdict['state'];
  /** The rule's reason with the values in it; for an unknown one what would have to be known. */
  readonly text: string;
  /** The facts it rests on. */
  readonly facts: readonly Fact[];
  /** Questions that would settle it. */
  readonly open: readonly string[];
  /** Facts that would be needed and are not known. */
  readonly missing: readonly string[];
  /** Where it holds, if the answers name several platforms and it does not hold on all. */
  readonly platforms: readonly string[];
}

/** A system with all that the rules say of it; rules that do not hold are left out. */
export interface Judged {
  readonly system: SubjectFile;
  readonly findings: readonly Finding[];
}

/** judge applies every rule to a system, for each platform that was named. */
export function judge(
  knowledge: Knowledge,
  rules: readonly Rule[],
  system: SubjectFile,
  answers: Answers,
  asOf: string,
): Judged {
  const platforms = [answers['platform'] ?? []].flat();
  const worlds = (platforms.length === 0 ? [undefined] : platforms).map((platform) =>
    worldOf(knowledge, system, answers, asOf, platform),
  );
  return { system, findings: rules.flatMap((rule) => findingOf(knowledge, rule, worlds)) };
}

interface PlatformWorld extends World {
  readonly platform: string | undefined;
  readonly facts: ReadonlyMap<string, Fact>;
}

function worldOf(
  knowledge: Knowledge,
  system: SubjectFile,
  answers: Answers,
  asOf: string,
  platform: string | undefined,
): PlatformWorld {
  const facts = factsAt(knowledge, system, asOf, platform);
  return {
    asOf,
    platform,
    facts,
    // Each platform is judged for itself, so that a rule that fails on one names it.
    answer: (question) => (question === 'platform' ? platform : answers[question]),
    fact: (key) => {
      if (platform === undefined && dependsOnPlatform(system, key, asOf)) return { open: 'platform' };
      return facts.get(key);
    },
  };
}

/** From the strongest to the weakest: what holds on one platform holds for the choice as a whole. */
const ORDER: readonly Verdict['state'][] = ['true', 'open', 'unknown', 'false'];

function findingOf(knowledge: Knowledge, rule: Rule, worlds: readonly PlatformWorld[]): Finding[] {
  const verdicts = worlds.map((world) => ({ world, verdict: evaluate(rule.when, world) }));
  // A merit must hold everywhere; what speaks against a system does so wherever it holds.
  const order = rule.effect === 'for' ? [...ORDER].reverse() : ORDER;
  const state = order.find((one) => verdicts.some(({ verdict }) => verdict.state === one)) ?? 'false';
  if (state === 'false') return [];
  const there = verdicts.filter(({ verdict }) => verdict.state === state);
  const [first] = there;
  const source = knowledge.sources[rule.source];
  if (!first || !source) return [];
  const { world, verdict } = first;
  const facts = factsOf(rule.when).flatMap((key) => world.facts.get(key) ?? []);
  return [
    {
      rule,
      source,
      state,
      facts,
      text: state === 'unknown' ? `It is not known: ${verdict.missing.join(', ')}` : fill(rule.reason, world),
      missing: verdict.missing,
      open: [...new Set(there.flatMap((one) => one.verdict.open))],
      platforms: there.length === worlds.length ? [] : there.flatMap((one) => one.world.platform ?? []),
    },
  ];
}

/** Puts the values of facts and answers into a reason. */
function fill(reason: string, world: PlatformWorld): string {
  return reason.replace(/\{(answer:)?([a-z0-9-]+)\}/g, (_, isAnswer: string | undefined, key: string) => {
    const value = isAnswer ? world.answer(key) : world.facts.get(key)?.value;
    return value === undefined ? 'not known' : valueText(value);
  });
}

/** valueText is a fact's value in one line. */
export function valueText(value: FactValue | Answer): string {
  return Array.isArray(value) ? value.join(', ') : String(value);
}
