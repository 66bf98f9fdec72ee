import { unreachable } from '@plinth/base';
import type { Fact, Facts } from './fact.ts';
import type { Condition } from './profile.ts';

/** What a condition came to, with the facts that decided. */
export interface Outcome {
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly found: readonly string[];
  readonly sources: readonly string[];
}

/** So many facts are named where many decide alike. */
const NAMED = 4;

/** judge holds facts against a condition; pure. A fact that is not known leaves it unknown unless others decide. */
export function judge(condition: Condition, facts: Facts): Outcome {
  const { fact, absent, integrity, health, all, any } = condition;
  if (all)
    return combine(
      all.map((one) => judge(one, facts)),
      ['fail', 'unknown', 'pass'],
    );
  if (any)
    return combine(
      any.map((one) => judge(one, facts)),
      ['pass', 'unknown', 'fail'],
    );
  if (absent)
    return combine(
      absent.map((name) => judgeFact({ fact: name, set: false }, name, facts)),
      ['fail', 'unknown', 'pass'],
    );
  if (integrity !== undefined) return judgeFact({ is: 'pass' }, `integrity/${integrity}`, facts);
  if (health !== undefined) return judgeFact({ is: 'pass' }, `health/${health}`, facts);
  return judgeFact(condition, fact ?? '', facts);
}

/** combine takes the first verdict of `order` that any outcome has, with what decided for it. */
function combine(outcomes: readonly Outcome[], order: readonly Outcome['verdict'][]): Outcome {
  const verdict = order.find((one) => outcomes.some((outcome) => outcome.verdict === one)) ?? 'unknown';
  const deciding = outcomes.filter((outcome) => outcome.verdict === verdict);
  const found = [...new Set(deciding.flatMap((outcome) => outcome.found))];
  const more = found.length - NAMED;
  return {
    verdict,
    found: more > 0 ? [...found.slice(0, NAMED), `and ${more} more`] : found,
    sources: [...new Set(deciding.flatMap(({ sources }) => sources))],
  };
}

function judgeFact(condition: Condition, name: string, facts: Facts): Outcome {
  const fact: Fact = facts.get(name) ?? { state: 'unknown', source: '', reason: 'the node did not tell it' };
  const found = [showFact(name, fact)];
  const sources = fact.source === '' ? [] : [fact.source];
  if (fact.state === 'unknown') return { verdict: 'unknown', found, sources };
  const holds = compare(condition, fact.state === 'present' ? fact.value : undefined);
  return { verdict: holds ? 'pass' : 'fail', found, sources };
}

/** @param value undefined: it is absent */
function compare(condition: Condition, value: string | undefined): boolean {
  if (condition.set !== undefined) return condition.set === (value !== undefined);
  if (condition.not !== undefined) return value === undefined || !condition.not.includes(value);
  if (condition.lacks !== undefined) return value === undefined || !wordsOf(value).includes(condition.lacks);
  if (value === undefined) return false;
  if (condition.is !== undefined) return value === condition.is;
  if (condition.in !== undefined) return condition.in.includes(value);
  if (condition.atLeast !== undefined) return /^-?\d+$/.test(value) && Number(value) >= condition.atLeast;
  if (condition.has !== undefined) return wordsOf(value).includes(condition.has);
  return unreachable('a condition compares nothing');
}

function wordsOf(value: string): readonly string[] {
  return value.split(/[\s,:;]+/);
}

function showFact(name: string, fact: Fact): string {
  if (fact.state === 'unknown') return `${name} is not known: ${fact.reason}`;
  if (fact.state === 'absent') return `${name} is absent`;
  return `${name} is ${fact.shown ?? (fact.value === '' ? 'set' : fact.value)}`;
}

/** conditionText says what must hold. */
export function conditionText(condition: Condition): string {
  const { fact = '', absent, integrity, health, all, any } = condition;
  if (all) return all.map((one) => (one.any ? `(${conditionText(one)})` : conditionText(one))).join(' and ');
  if (any) return any.map((one) => (one.all ? `(${conditionText(one)})` : conditionText(one))).join(' or ');
  if (absent)
    return `${[...absent.slice(0, NAMED), ...(absent.length > NAMED ? [`${absent.length - NAMED} more`] : [])].join(', ')} absent`;
  if (integrity !== undefined) return `integrity/${integrity} passes`;
  if (health !== undefined) return `health/${health} passes`;
  if (condition.set !== undefined) return `${fact} ${condition.set ? 'set' : 'absent'}`;
  if (condition.is !== undefined) return `${fact} is ${condition.is === '' ? 'set' : condition.is}`;
  if (condition.in !== undefined) return `${fact} is ${condition.in.join(' or ')}`;
  if (condition.not !== undefined) return `${fact} is not ${condition.not.join(' or ')}`;
  if (condition.atLeast !== undefined) return `${fact} is at least ${condition.atLeast}`;
  if (condition.has !== undefined) return `${fact} has ${condition.has}`;
  return `${fact} lacks ${condition.lacks ?? ''}`;
}
