import {
  type Advice,
  type Answers,
  advise,
  type Change,
  explainChange,
  type Finding,
  loadCases,
  loadKnowledge,
  loadMoves,
  loadRules,
  planMove,
  valueText,
} from '@plinth/advisor';
import { markdownTable, page } from './page.ts';

const knowledge = await loadKnowledge();
const book = await loadRules(knowledge);
const moves = await loadMoves(knowledge);
const { cases, moves: movesThen, published, today } = await loadCases(knowledge);

const nameOf = (id: string) => knowledge.systems.find((system) => system.id === id)?.name ?? id;
const cite = (id: string) => {
  const source = knowledge.sources[id];
  return source ? `${source.title} (${source.publisher}, read ${source.read})` : id;
};

/** decisionsOfDocumentsPage shows what two documents chose, case by case, and what became of it. */
export function decisionsOfDocumentsPage(): string {
  return page(
    'What two documents chose for AKS, and what holds today',
    'packages/advisor/data',
    `Two documents of November 2025 say which node OS to take on AKS. Here each of their cases is answered from the facts that held on ${published}, which gives what they chose, and from those of ${today}. \`plinth advise --as-of DATE\` computes the same; a test holds it. Places count from 1; "out" is a system that a rule takes out.`,
    ...cases.flatMap(caseSection),
    '## Moving',
    markdownTable(
      ['The document says', 'Source', `In place on ${published}`, `Verdict on ${today}`],
      movesThen.map(({ says, source, from, to }) => [
        says,
        cite(source),
        inPlaceOf(from, to, published),
        blocksOf(from, to),
      ]),
    ),
  );
}

function caseSection(one: (typeof cases)[number]): string[] {
  const then = advise(knowledge, book, one.answers, published);
  const now = advise(knowledge, book, one.answers, today);
  const changes = explainChange(then, now);
  return [
    `## ${one.says}`,
    `Source: ${cite(one.source)}. Answers: ${answersText(one.answers)}.`,
    markdownTable(
      ['', `As of ${published}`, `As of ${today}`],
      [
        ['The document chose', (one.first ?? one.among ?? []).map(nameOf).join(' or '), ''],
        ['Computed', frontOf(then), frontOf(now)],
      ],
    ),
    changes.length === 0
      ? 'Nothing changed.'
      : markdownTable(
          ['System', 'Then', 'Now', 'Because'],
          changes.map((change) => [change.name, change.was, change.is, becauseOf(change)]),
        ),
  ];
}

function answersText(answers: Answers): string {
  return Object.entries(answers)
    .map(([id, answer]) => `${id} ${valueText(answer ?? '')}`)
    .join(', ');
}

/** The systems in front with their points. */
function frontOf({ choices }: Advice): string {
  const front = choices.filter(({ place }) => place !== undefined).slice(0, 3);
  return front.length === 0
    ? 'none fits'
    : front.map(({ place, system, points }) => `${place}. ${system.name} (${points})`).join(', ');
}

/** Why it stands elsewhere. Of who is out only what took it out: the rest decides nothing. */
function becauseOf({ came, went, is, was }: Change): string {
  const decides = (finding: Finding) => finding.rule.effect === 'disqualifies';
  const told = (findings: readonly Finding[]) =>
    findings.map(({ text, facts, source }) => `${text} [${(facts[0]?.source ?? source).title}]`);
  const now = is === 'out' ? came.filter(decides) : came;
  const before = is === 'out' ? [] : was === 'out' ? went.filter(decides) : went;
  const parts = [...told(now), ...told(before).map((text) => `no longer: ${text}`)];
  return parts.length === 0 ? 'others came or went' : parts.join('; ');
}

function planOf(from: string, to: string, asOf: string) {
  const pool = {
    platform: 'aks',
    system: from,
    name: 'np',
    nodes: 3,
    surge: undefined,
    properties: {},
    names: {},
  };
  return planMove(knowledge, moves, { pool, from, to, asOf, drainMinutes: undefined, checkTargets: [] });
}

function inPlaceOf(from: string, to: string, asOf: string): string {
  const { move } = planOf(from, to, asOf);
  return `${move.inPlace}: ${move.reason}`;
}

function blocksOf(from: string, to: string): string {
  const blocked = planOf(from, to, today).checks.filter(({ state }) => state === 'blocks');
  return blocked.length === 0
    ? 'nothing known blocks it'
    : `blocked: not so: ${blocked.map(({ says }) => says).join('; ')}`;
}

/** advisorPage documents questions, rules, ways and prerequisites. */
export function advisorPage(): string {
  return page(
    'The advisor: questions, rules, ways',
    'packages/advisor/data',
    'Facts, rules and ways are data with sources. `plinth advisor facts SYSTEM` shows the facts; this page shows what is made of them. A rule speaks of facts and answers and can name no system. Whoever may be disqualified by a fact that is not known stands behind all who cannot be.',
    '## Questions',
    markdownTable(
      ['Id', 'Question', 'Answers'],
      book.questions.map(({ id, ask, choices }) => [
        `\`${id}\``,
        ask,
        Object.keys(choices)
          .map((one) => `\`${one}\``)
          .join(', '),
      ]),
    ),
    '## Rules that take a system out',
    markdownTable(
      ['Rule', 'Says', 'Source'],
      book.rules
        .filter(({ effect }) => effect === 'disqualifies')
        .map(({ id, reason, source }) => [`\`${id}\``, reason, cite(source)]),
    ),
    '## Rules that weigh',
    'Decisive counts 8, major 4, notable 2, minor 1.',
    markdownTable(
      ['Rule', 'Effect', 'Weight', 'Says', 'Source'],
      book.rules
        .filter(({ effect }) => effect !== 'disqualifies')
        .map(({ id, effect, weight, reason, source }) => [
          `\`${id}\``,
          effect,
          weight ?? '',
          reason,
          cite(source),
        ]),
    ),
    '## Ways from one system to another',
    'The first that fits decides.',
    markdownTable(
      ['On', 'From', 'To', 'In place', 'Way', 'Because', 'Source'],
      moves.moves.map(({ on, from, to, inPlace, way, reason, source, crossing }) => [
        on?.join(', ') ?? (crossing ? 'another platform' : 'any'),
        from?.map(nameOf).join(', ') ?? 'any',
        to?.map(nameOf).join(', ') ?? 'any',
        inPlace,
        methodTitle(way),
        reason,
        cite(source),
      ]),
    ),
    '## Prerequisites of a move',
    markdownTable(
      ['Check', 'Where', 'Severity', 'Needed', 'Source'],
      moves.prerequisites.map(({ id, on, ways, to, severity, says, source }) => [
        `\`${id}\``,
        [...(on ?? []), ...(ways ?? []), ...(to ?? []).map(nameOf)].join(', ') || 'every move',
        severity,
        says,
        cite(source),
      ]),
    ),
    '## What can be told of a pool',
    '`plinth migrate plan --facts` takes these; a description of the cloud tells most of them.',
    markdownTable(
      ['Id', 'Means', 'Values'],
      moves.properties.map(({ id, ask, choices, free }) => [
        `\`${id}\``,
        ask,
        free === 'version'
          ? 'a version'
          : Object.keys(choices)
              .map((one) => `\`${one}\``)
              .join(', '),
      ]),
    ),
  );
}

function methodTitle(id: string): string {
  return moves.methods.find((method) => method.id === id)?.title ?? id;
}
