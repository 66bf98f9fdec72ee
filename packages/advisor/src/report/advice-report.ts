import type { Advice } from '../advise/advise.ts';
import { type Finding, valueText } from '../advise/judge.ts';
import type { Choice } from '../advise/rank.ts';
import type { RuleBook } from '../advise/rule-schema.ts';
import type { WhatIf } from '../advise/what-if.ts';
import { factsAt, isStale } from '../facts/at-date.ts';
import type { Knowledge } from '../facts/load.ts';
import type { SubjectFile } from '../facts/schema.ts';
import { systemFacts } from '../facts/vocabulary.ts';
import type { ChangeCost } from '../migrate/change-cost.ts';
import { contradictionsOf } from './contradictions.ts';
import { type DecisionPath, pathMermaid } from './decision-path.ts';
import type { Part, Report, Section } from './document.ts';
import { pathSvg } from './path-svg.ts';

/** All that an answer is told with. */
export interface AdviceParts {
  readonly knowledge: Knowledge;
  readonly book: RuleBook;
  readonly advice: Advice;
  readonly whatIfs: readonly WhatIf[];
  readonly path: DecisionPath;
  /** What it costs to leave the first choice later, for each other one. */
  readonly costs: readonly ChangeCost[];
}

/** adviceReport tells an answer in full, for a file: the ranking, why, what would change it, the facts, the way there. */
export function adviceReport(parts: AdviceParts): Report {
  const { advice } = parts;
  const left = contendersOf(advice);
  const sections: Section[] = [
    { heading: 'Ranking', parts: [rankingTable(advice)] },
    ...left.map((choice) => reasonsOf(parts, choice)),
    ...(left.length > 0 ? [] : [noneFits]),
    { heading: 'Out', parts: [outTable(advice)] },
    { heading: 'What would change it', parts: [whatIfTable(parts)] },
    { heading: 'What a change costs later', parts: [costTable(parts)] },
    { heading: 'Contradictions between sources', parts: [contradictionTable(parts)] },
    { heading: 'Decision path', parts: [diagram(parts.path)] },
    { heading: 'Systems that are left, compared', parts: [comparison(parts, left, 'all')] },
    { heading: 'All systems compared', parts: [comparison(parts, advice.choices, 'all')] },
  ];
  return { title: titleOf(parts), sections };
}

const noneFits: Section = {
  heading: 'None fits',
  parts: [{ kind: 'text', text: 'Every system is out. What would change it says which answer leaves one.' }],
};

/** titleOf says what was asked. */
export function titleOf({ advice, book }: AdviceParts): string {
  const given = book.questions.flatMap(({ id }) => {
    const answer = advice.answers[id];
    return answer === undefined ? [] : [`${id} ${valueText(answer)}`];
  });
  return `Node OS, as of ${advice.asOf}: ${given.length > 0 ? given.join('; ') : 'nothing asked'}`;
}

/** contendersOf are the systems that are not out, in their order. */
export function contendersOf({ choices }: Advice): readonly Choice[] {
  return choices.filter(({ standing }) => standing !== 'out');
}

function rankingTable(advice: Advice): Part {
  return {
    kind: 'table',
    header: ['Place', 'Name', 'Standing', 'Points', 'Because'],
    rows: contendersOf(advice).map((choice) => [
      String(choice.place),
      choice.system.name,
      choice.standing,
      String(choice.points),
      briefly(choice),
    ]),
    empty: 'No system fits.',
  };
}

/** What may disqualify a system first; else its reasons in a few words. */
function briefly({ findings, standing }: Choice): string {
  const doubts = findings.filter(({ rule, state }) => rule.effect === 'disqualifies' && state === 'unknown');
  if (standing === 'uncertain') return doubts.map(({ rule, text }) => `${rule.title}? ${text}`).join('; ');
  return weighing(findings)
    .map(({ rule }) => `${rule.effect === 'for' ? '+' : '-'} ${rule.title.toLowerCase()}`)
    .join(', ');
}

/** Reasons that count, the heaviest first. */
export function weighing(findings: readonly Finding[]): readonly Finding[] {
  const order = ['decisive', 'major', 'notable', 'minor'];
  return findings
    .filter(({ rule, state }) => rule.effect !== 'disqualifies' && state === 'true')
    .toSorted((a, b) => order.indexOf(a.rule.weight ?? '') - order.indexOf(b.rule.weight ?? ''));
}

function reasonsOf(parts: AdviceParts, { system, findings }: Choice): Section {
  const { asOf } = parts.advice;
  const rows = weighing(findings).map((finding) => [
    finding.rule.effect,
    finding.rule.weight ?? '',
    finding.text,
    citation(finding),
  ]);
  const gaps = findings
    .filter(({ rule, state }) => rule.effect !== 'disqualifies' && state === 'unknown')
    .map(({ rule, text }) => ['unknown', rule.weight ?? '', `${rule.title}? ${text}`, '']);
  return {
    heading: `Why ${system.name}, and why not`,
    parts: [
      { kind: 'text', text: system.summary },
      {
        kind: 'table',
        header: ['Effect', 'Weight', 'Reason', 'Source'],
        rows: [...rows, ...gaps],
        empty: 'No rule speaks for or against it.',
      },
      ...[...whereText(parts, system), ...staleText(findings, asOf)].map(
        (text): Part => ({ kind: 'text', text }),
      ),
    ],
  };
}

/** The source of the fact that decided, else that of the rule. */
function citation({ facts, source }: Finding): string {
  const cited = facts[0]?.source ?? source;
  return `${cited.title} (${cited.publisher}, read ${cited.read})`;
}

/** whereText is on what a system runs, where that has a condition that its name does not tell; nothing when there is none. */
export function whereText({ knowledge, advice }: AdviceParts, system: SubjectFile): readonly string[] {
  const runsOn = factsAt(knowledge, system, advice.asOf).get('platforms');
  return runsOn?.note === undefined ? [] : [`offered for ${valueText(runsOn.value)}: ${runsOn.note}`];
}

/** staleText says how many facts behind the reasons must be read again; nothing when none must. */
export function staleText(findings: readonly Finding[], asOf: string): readonly string[] {
  const facts = new Set(findings.filter(({ state }) => state === 'true').flatMap((one) => one.facts));
  const stale = [...facts].filter((fact) => isStale(fact, asOf)).map(({ key }) => key);
  if (stale.length === 0) return [];
  return [`${stale.length} of ${facts.size} facts behind this must be read again: ${stale.join(', ')}`];
}

/** isAgainst says whether a finding takes a system out. */
export function isAgainst({ rule, state }: Finding): boolean {
  return rule.effect === 'disqualifies' && state === 'true';
}

function outTable({ choices }: Advice): Part {
  const rows = choices
    .filter(({ standing }) => standing === 'out')
    .flatMap(({ system, findings }) =>
      findings.filter(isAgainst).map((finding) => {
        const where = finding.platforms.length > 0 ? ` (${finding.platforms.join(', ')})` : '';
        return [system.name, finding.rule.id, `${finding.text}${where}`, citation(finding)];
      }),
    );
  return { kind: 'table', header: ['Name', 'Rule', 'Reason', 'Source'], rows, empty: 'None.' };
}

/** whatIfTable lists the single answers that would change the first place. */
export function whatIfTable({ whatIfs, knowledge }: AdviceParts): Part {
  const nameOf = (id: string) => knowledge.systems.find((system) => system.id === id)?.name ?? id;
  return {
    kind: 'table',
    header: ['Question', 'Answered', 'Instead', 'First then'],
    rows: whatIfs.map(({ question, was, instead, first, isUncertain }) => [
      question,
      was === undefined ? 'not asked' : valueText(was),
      instead,
      `${first.length === 0 ? 'none fits' : first.map(nameOf).join(', ')}${isUncertain ? ' (uncertain)' : ''}`,
    ]),
    empty: 'No single answer would.',
  };
}

function costTable({ costs }: AdviceParts): Part {
  return {
    kind: 'table',
    header: ['From', 'To', 'Way', 'Effort', 'Because'],
    rows: costs.map(({ from, to, way, effort, reason }) => [from, to, way, effort, reason]),
    empty: 'There is no other choice to change to.',
  };
}

/** comparison shows systems side by side; what none of them has a fact for is left out. */
export function comparison(
  { knowledge, advice }: AdviceParts,
  choices: readonly Choice[],
  which: 'all' | 'different',
): Part {
  const platforms = [advice.answers['platform'] ?? []].flat();
  const platform = platforms.length === 1 ? platforms[0] : undefined;
  const known = choices.map(({ system }) => factsAt(knowledge, system, advice.asOf, platform));
  const rows = Object.entries(systemFacts)
    .filter(([key, kind]) => 'compared' in kind && known.some((facts) => facts.has(key)))
    .map(([key, { title }]) => [
      title,
      ...known.map((facts) => {
        const fact = facts.get(key);
        if (!fact) return 'not known';
        return `${valueText(fact.value)}${fact.conflicts.length > 0 ? ' (disputed)' : ''}`;
      }),
    ])
    .filter(([, ...values]) => which === 'all' || new Set(values).size > 1);
  return {
    kind: 'table',
    header: ['Fact', ...choices.map(({ system }) => system.name)],
    rows: choices.length === 0 ? [] : rows,
    empty: 'No system fits.',
  };
}

function contradictionTable({ knowledge, advice }: AdviceParts): Part {
  const rows = contradictionsOf(knowledge, advice).map(({ system, fact, conflict }) => [
    system,
    fact.key,
    `${valueText(fact.value)} (${fact.source.title})`,
    `${conflict.value} (${conflict.source.title})${conflict.note === undefined ? '' : `: ${conflict.note}`}`,
  ]);
  return {
    kind: 'table',
    header: ['Name', 'Fact', 'Taken', 'Another source'],
    rows,
    empty: 'None among the systems that are left.',
  };
}

function diagram(path: DecisionPath): Part {
  return { kind: 'diagram', mermaid: pathMermaid(path), svg: pathSvg(path) };
}
