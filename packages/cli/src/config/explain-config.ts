import {
  allKinds,
  describeEffect,
  type Explanation,
  explainKey,
  type FieldDescription,
} from '@plinth/config';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, plainText, table } from '../output/blocks.ts';
import { wrapText } from '../output/wrap-text.ts';

/** A page of notes is read at the width of a help page, on any terminal. */
const WIDTH_CHARS = 80;

/** explainConfig tells what a key of the machine config is for, without one which kinds there are. @throws config/… */
export function explainConfig(key: string | undefined): CommandResult {
  return key === undefined ? listKinds() : explain(explainKey(key));
}

function listKinds() {
  const rows = allKinds.map(({ kind, count, summary }) => ({ kind, count, summary }));
  return {
    data: rows,
    names: rows.map(({ kind }) => kind),
    view: [
      table(
        [
          { header: 'KIND', value: (row: (typeof rows)[number]) => row.kind },
          { header: 'DOCUMENTS', value: (row) => countText(row.count) },
          { header: 'WHAT IT IS FOR', value: (row) => row.summary },
        ],
        rows,
      ),
    ],
  };
}

function explain({ kind, field, fields }: Explanation) {
  const data = field ?? {
    kind: kind.kind,
    documents: kind.count,
    summary: kind.summary,
    example: kind.example,
  };
  return {
    data: { ...data, fields },
    names: fields.map(({ path }) => path),
    view: field ? fieldView(field, fields) : kindView(kind, fields),
  };
}

function kindView(kind: Explanation['kind'], fields: readonly FieldDescription[]): Block[] {
  return [
    facts([
      ['kind', kind.kind],
      ['documents', countText(kind.count)],
      ['what it is for', kind.summary],
    ]),
    ...(kind.notes ?? []).map((note) => plainText(note.split('\n').flatMap(wrapNote).join('\n'))),
    fieldTable(fields),
    plainText(kind.example),
  ];
}

function countText(count: Explanation['kind']['count']): string {
  return count.replaceAll('-', ' ');
}

/** Lines of a list keep their indent. */
function wrapNote(line: string): string[] {
  const indent = line.startsWith('- ') ? 2 : 0;
  return wrapText(line, WIDTH_CHARS - indent).map((text, i) => (i === 0 ? text : ' '.repeat(indent) + text));
}

function fieldView(field: FieldDescription, fields: readonly FieldDescription[]): Block[] {
  const { path, type, required, description, secret, effect, effectWhenNew } = field;
  return [
    facts([
      ['key', path],
      ['type', type],
      ['required', required ? 'yes' : 'no'],
      ...(field.default === undefined ? [] : [['default', field.default] as const]),
      ['what it is', description],
      ...(secret ? [['secret', 'yes: never shown'] as const] : []),
      ['a change takes effect', describeEffect(effect)],
      ...(effectWhenNew ? [['a new one takes effect', describeEffect(effectWhenNew)] as const] : []),
    ]),
    ...(fields.length > 0 ? [fieldTable(fields)] : []),
  ];
}

function fieldTable(fields: readonly FieldDescription[]): Block {
  return table(
    [
      { header: 'KEY', value: (field) => field.path },
      { header: 'TYPE', value: (field) => (field.required ? `${field.type} (required)` : field.type) },
      { header: 'TAKES EFFECT', value: (field) => describeEffect(field.effect), wide: true },
      { header: 'WHAT IT IS', value: (field) => field.description },
    ],
    fields,
    'It has no fields.',
  );
}
