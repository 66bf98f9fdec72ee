import { valueText } from '../advise/judge.ts';
import type { Choice } from '../advise/rank.ts';
import {
  type AdviceParts,
  comparison,
  contendersOf,
  isAgainst,
  staleText,
  titleOf,
  weighing,
  whatIfTable,
  whereText,
} from './advice-report.ts';
import { contradictionsOf } from './contradictions.ts';
import type { Part, Report, Section } from './document.ts';

/** The systems that are compared side by side on a terminal. */
const MOST_COMPARED = 3;

/**
 * adviceBrief tells an answer to somebody at a terminal of 80 columns: lists that can be broken into lines in place of
 * wide tables, and the most important last, where the eye ends.
 */
export function adviceBrief(parts: AdviceParts): Report {
  const left = contendersOf(parts.advice);
  const first = left.filter(({ place }) => place === 1);
  const sections: Section[] = [
    { heading: 'Where they differ', parts: [comparison(parts, left.slice(0, MOST_COMPARED), 'different')] },
    { heading: 'Sources that contradict each other', parts: [contradictionList(parts)] },
    { heading: 'Out', parts: [outList(parts)] },
    { heading: 'What a change costs later', parts: [costList(parts)] },
    { heading: 'What would change the answer', parts: [whatIfTable(parts)] },
    ...first.map((choice) => reasonList(parts, choice)),
    { heading: 'Ranking', parts: [ranking(parts)] },
  ];
  return { title: titleOf(parts), sections };
}

function contradictionList({ knowledge, advice }: AdviceParts): Part {
  const items = contradictionsOf(knowledge, advice).map(
    ({ system, fact, conflict }) =>
      `${system}, ${fact.key}: ${valueText(fact.value)} (${fact.source.title}), but: ${conflict.value} (${conflict.source.title})`,
  );
  return items.length > 0
    ? { kind: 'list', items }
    : { kind: 'text', text: 'None among the systems that are left.' };
}

function outList({ advice: { choices } }: AdviceParts): Part {
  const items = choices
    .filter(({ standing }) => standing === 'out')
    .map(({ system, findings }) => {
      const [first, ...others] = findings.filter(isAgainst);
      const more = others.map(({ rule }) => rule.id).join(', ');
      const source = (first?.facts[0]?.source ?? first?.source)?.title;
      return `${system.name}: ${first?.text} [${first?.rule.id}; ${source}]${more === '' ? '' : `; also ${more}`}`;
    });
  return items.length > 0 ? { kind: 'list', items } : { kind: 'text', text: 'None.' };
}

function costList({ costs }: AdviceParts): Part {
  const items = costs.map(
    ({ from, to, way, effort, reason }) => `${from} to ${to}: ${way}, ${effort}; ${reason}`,
  );
  return items.length > 0
    ? { kind: 'list', items }
    : { kind: 'text', text: 'There is no other choice to change to, or no platform was named.' };
}

function reasonList(parts: AdviceParts, { system, findings }: Choice): Section {
  const reasons = weighing(findings).map(
    ({ rule, text, facts, source }) =>
      `${rule.effect}, ${rule.weight}: ${text} [${(facts[0]?.source ?? source).title}]`,
  );
  const doubts = findings
    .filter(({ rule, state }) => state === 'unknown' && rule.effect === 'disqualifies')
    .map(({ rule, text }) => `may be out, ${rule.title}: ${text}`);
  const unknown = findings
    .filter(({ rule, state }) => state === 'unknown' && rule.effect !== 'disqualifies')
    .map(({ rule }) => rule.title.toLowerCase());
  return {
    heading: `Why ${system.name}, and why not`,
    parts: [
      { kind: 'text', text: system.summary },
      {
        kind: 'list',
        items: [
          ...doubts,
          ...reasons,
          ...(unknown.length > 0 ? [`not known whether: ${unknown.join(', ')}`] : []),
          ...whereText(parts, system),
          ...staleText(findings, parts.advice.asOf),
        ],
      },
    ],
  };
}

function ranking({ advice }: AdviceParts): Part {
  return {
    kind: 'table',
    header: ['Place', 'Name', 'Standing', 'Points', 'Not known'],
    rows: contendersOf(advice).map(({ place, system, standing, points, findings }) => [
      String(place),
      system.name,
      standing,
      String(points),
      findings
        .filter(({ rule, state }) => rule.effect === 'disqualifies' && state === 'unknown')
        .map(({ rule }) => rule.id)
        .join(', ') || '-',
    ]),
    empty: 'No system fits; "What would change the answer" says which answer leaves one.',
  };
}
