import {
  ageDays,
  allFactsAt,
  type Fact,
  findSubject,
  isStale,
  type Knowledge,
  loadKnowledge,
  type SubjectFile,
  valueText,
} from '@plinth/advisor';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts as factsBlock, nextCommands, plainText, table } from '../output/blocks.ts';
import { wrapText } from '../output/wrap-text.ts';
import { factData } from './advice-data.ts';
import { dayAsked } from './as-of.ts';

/** showFacts lists what is known at a date, of one system or of all. */
export async function showFacts(
  id: string | undefined,
  options: { readonly stale: boolean; readonly asOf: string | undefined },
  isWide: boolean,
): Promise<CommandResult> {
  const knowledge = await loadKnowledge();
  const asOf = dayAsked(options.asOf);
  const all = [...knowledge.systems, ...knowledge.platforms];
  if (id === undefined && !options.stale) return overview(knowledge, all, asOf);
  const subjects = id === undefined ? all : [findSubject(all, id)];
  const rows = subjects.flatMap((subject) =>
    allFactsAt(knowledge, subject, asOf)
      .map((fact) => ({ subject, fact, ageDays: ageDays(fact, asOf) }))
      .filter((row) => !options.stale || isStale(row.fact, asOf)),
  );
  const [only] = subjects;
  const head: Block[] =
    id === undefined || !only
      ? []
      : [
          factsBlock([
            ['name', only.name],
            ['maker', only.maker],
            ['as of', asOf],
          ]),
          plainText(wrapText(only.summary, 80).join('\n')),
        ];
  return {
    data: rows.map((row) => ({
      subject: row.subject.id,
      ageDays: row.ageDays ?? null,
      ...factData(row.fact),
    })),
    names: rows.map((row) => `${row.subject.id}/${row.fact.key}`),
    view: [
      ...head,
      isWide && id !== undefined ? factList(rows) : factTable(rows, id === undefined),
      ...contradictions(rows),
      ...(options.stale && id === undefined ? [textsToRead(rows)] : []),
    ],
  };
}

/** Facts go stale with the text they were read in: what there is to read again, most first. */
function textsToRead(rows: readonly Row[]): Block {
  const texts = [...Map.groupBy(rows, ({ fact }) => fact.source.title)]
    .map(([title, read]) => ({ title, facts: read.length, age: ageText(read[0]?.ageDays) }))
    .toSorted((a, b) => b.facts - a.facts || (a.title < b.title ? -1 : 1));
  return table(
    [
      { header: 'READ-AGAIN', value: ({ title }) => title },
      { header: 'FACTS', value: ({ facts }) => String(facts), align: 'right' },
      { header: 'DAYS', value: ({ age }) => age, align: 'right' },
    ],
    texts,
    'No text is old.',
  );
}

function ageText(days: number | undefined): string {
  return days === undefined ? 'undated' : String(Math.max(0, days));
}

interface Row {
  readonly subject: SubjectFile;
  readonly fact: Fact;
  readonly ageDays: number | undefined;
}

function factTable(rows: readonly Row[], withName: boolean): Block {
  return table<Row>(
    [
      ...(withName ? [{ header: 'NAME', value: (row: Row) => row.subject.id }] : []),
      { header: 'FACT', value: ({ fact }) => fact.key },
      { header: 'ON', value: ({ fact }) => fact.on?.join(',') ?? 'all' },
      {
        header: 'VALUE',
        value: ({ fact }) => `${valueText(fact.value)}${fact.conflicts.length > 0 ? ' (disputed)' : ''}`,
      },
      { header: 'SOURCE', value: ({ fact }) => fact.source.title },
      { header: 'READ', value: ({ fact }) => fact.source.read, wide: true },
      { header: 'NOTE', value: ({ fact }) => fact.note ?? '', wide: true },
      { header: 'SURE', value: ({ fact }) => fact.confidence },
      {
        header: 'DAYS',
        value: (row) => ageText(row.ageDays),
        align: 'right',
      },
    ],
    rows,
    'No fact is stale.',
  );
}

/** Every fact whole, in lines that no terminal has to cut. */
function factList(rows: readonly Row[]): Block {
  const items = rows.flatMap(({ fact, ageDays: age }) => {
    const { on, from, until, source, confidence, note } = fact;
    const scope = on === undefined ? '' : ` on ${on.join(', ')}`;
    const days = `${from === undefined ? '' : `, from ${from}`}${until === undefined ? '' : `, until ${until}`}`;
    const old = age === undefined ? 'undated copy' : `${Math.max(0, age)} days old`;
    return [
      `${fact.key}${scope}: ${valueText(fact.value)}${days}`,
      ...indented(`${source.title} (${source.publisher}, read ${source.read}, ${old}); ${confidence}`),
      ...(note === undefined ? [] : indented(note)),
    ];
  });
  return plainText(items.join('\n'));
}

function indented(text: string): string[] {
  return wrapText(text, 76).map((line) => `    ${line}`);
}

/** Both sides, whole: a contradiction is never cut away. */
function contradictions(rows: readonly Row[]): Block[] {
  const lines = rows.flatMap(({ fact }) =>
    fact.conflicts.map(({ value, source, note }) =>
      [
        ...wrapText(
          `${fact.key}: ${valueText(fact.value)} (${fact.source.title}, ${fact.source.publisher})`,
          80,
        ),
        ...indented(`but: ${value} (${source.title}, ${source.publisher})`),
        ...(note === undefined ? [] : indented(note)),
      ].join('\n'),
    ),
  );
  return lines.length === 0 ? [] : [plainText(`Sources disagree:\n${lines.join('\n')}`)];
}

function overview(knowledge: Knowledge, all: readonly SubjectFile[], asOf: string): CommandResult {
  const rows = all.map((subject) => {
    const known = allFactsAt(knowledge, subject, asOf);
    return {
      id: subject.id,
      name: subject.name,
      kind: subject.kind,
      facts: known.length,
      disputed: known.filter(({ conflicts }) => conflicts.length > 0).length,
      stale: known.filter((fact) => isStale(fact, asOf)).length,
      unsure: known.filter(({ confidence }) => confidence !== 'documented').length,
    };
  });
  const count = (header: string, key: 'facts' | 'disputed' | 'unsure' | 'stale') => ({
    header,
    value: (row: (typeof rows)[number]) => String(row[key]),
    align: 'right' as const,
  });
  return {
    data: { asOf, subjects: rows },
    names: rows.map(({ id }) => id),
    view: [
      table(
        [
          { header: 'NAME', value: (row) => row.id },
          { header: 'KIND', value: (row) => row.kind },
          { header: 'TITLE', value: (row) => row.name, wide: true },
          count('FACTS', 'facts'),
          count('DISPUTED', 'disputed'),
          count('UNSURE', 'unsure'),
          count('STALE', 'stale'),
        ],
        rows,
      ),
      nextCommands([['plinth advisor facts NAME -o wide', 'each fact with its source and note']]),
    ],
  };
}
