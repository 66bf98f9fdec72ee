import { closest, type Diagnostic, spanAt, type TextSource } from '@plinth/base';
import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import { allKinds } from '../machine-config.ts';
import { checkText, LIMITS, refuse, tooDeep } from '../parse/limits.ts';
import type { ReadSections } from '../parse/read-sections.ts';
import { textProblems } from '../parse/text-problems.ts';

/** A text of another system: one YAML or JSON document that is a map. */
export type ForeignText =
  | { readonly ok: true; readonly map: YAMLMap; readonly document: Document; readonly source: TextSource }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Why a key of another system is not honoured, and what to do instead. */
export interface Refusal {
  /** Ends the sentence "KEY cannot be honoured: …". */
  readonly why: string;
  readonly instead: string;
  /** Values that ask for what is so on every node. */
  readonly soAlready?: readonly unknown[];
}

/** First offset, and the one after the last. */
export type Range = readonly [start: number, end: number];

const WORD_LIMIT = 100;

/** openText reads a text of another system, limits first: they are those of a config. */
export function openText(bytes: Uint8Array, file: string): ForeignText {
  const checked = checkText(bytes, file);
  if (!checked.ok) return checked;
  const source: TextSource = { text: checked.text, file, lines: new LineCounter(), code: 'config/invalid' };
  try {
    const documents = [
      ...parseAllDocuments(source.text, { lineCounter: source.lines, uniqueKeys: false, version: '1.2' }),
    ] as Document[];
    const problems = documents.flatMap((each) => textProblems(each, source));
    if (problems.length > 0) return { ok: false, diagnostics: problems.map(hidden) };
    const [document, second] = documents;
    if (second) return refuse(file, 'a second YAML document, expected one');
    if (!document || !isMap(document.contents)) return refuse(file, 'it is no map of keys, expected one');
    return { ok: true, map: document.contents, document, source };
  } catch (reason) {
    if (reason instanceof RangeError) return tooDeep(file);
    throw reason;
  }
}

/** problemAt is a problem with a place. The line is never shown: foreign texts hold secrets of any name. */
export function problemAt(
  source: TextSource,
  [start, end]: Range,
  path: string,
  state: string,
  hint?: string,
): Diagnostic {
  return hidden({
    code: source.code,
    severity: 'error',
    message: `Cannot read ${source.file}: ${state}`,
    path,
    span: spanAt(source, start, end),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** hidden keeps the line of a problem from being shown beside it. */
export function hidden(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, secret: true };
}

/** What of a map can be honoured, and what was said of the rest. */
export interface SiftedMap {
  readonly kept: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * siftKeys looks at each key of a map: what is accepted is kept for a schema to check (null is no value), everything else is told, with
 * the reason for a key that is known. A refused key that asks for nothing ([], {}, null) or for what is so passes.
 * @param path of the map, such as "$.storage"
 */
export function siftKeys(
  map: YAMLMap,
  path: string,
  accepted: readonly string[],
  refused: Readonly<Record<string, Refusal>>,
  { document, source }: ForeignText & { ok: true },
): SiftedMap {
  const kept: Record<string, unknown> = {};
  const diagnostics: Diagnostic[] = [];
  const known = [...accepted, ...Object.keys(refused)];
  for (const pair of map.items) {
    // To guess what was meant takes time, and nobody reads more at once.
    if (diagnostics.length >= LIMITS.problems) break;
    const key = keyOf(pair);
    const value = plainValue(pair, document);
    const at = rangeOf(pair.key);
    if (accepted.includes(key)) {
      if (value !== null) kept[key] = withoutNulls(value);
      continue;
    }
    const refusal = Object.hasOwn(refused, key) ? refused[key] : undefined;
    if (!refusal) {
      const near = closest(key.slice(0, WORD_LIMIT), known);
      diagnostics.push(
        problemAt(
          source,
          at,
          `${path}.${key.slice(0, WORD_LIMIT)}`,
          `unknown key "${key.slice(0, WORD_LIMIT)}"`,
          near === undefined ? undefined : `did you mean "${near}"?`,
        ),
      );
    } else if (!asksForNothing(value) && !(refusal.soAlready ?? []).includes(value)) {
      diagnostics.push(
        problemAt(
          source,
          at,
          `${path}.${key}`,
          `"${key}" cannot be honoured, expected no such key: ${refusal.why}`,
          refusal.instead,
        ),
      );
    }
  }
  return { kept, diagnostics };
}

/** asksForNothing tells whether a value is empty all the way down. */
function asksForNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return isPlain(value) && Object.values(value).every(asksForNothing);
}

/** A map or list; not what a tag makes, such as a set, whose entries look like none. */
function isPlain(value: unknown): value is object {
  if (value === null || typeof value !== 'object') return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** Null is how other systems write that a key is absent. */
function withoutNulls(value: unknown): unknown {
  if (!isPlain(value)) return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  const kept = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutNulls(each)]));
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function plainValue({ value }: Pair, document: Document): unknown {
  return (value as { toJS?(document: Document): unknown } | null)?.toJS?.(document) ?? null;
}

/** rangeOf is where a node stands in its text. */
export function rangeOf(node: unknown): Range {
  const range = (node as { readonly range?: readonly number[] | null } | null)?.range;
  return [range?.[0] ?? 0, range?.[1] ?? 0];
}

/** rangeAt is where the value at a path stands. */
export function rangeAt(document: Document, path: readonly (string | number)[]): Range {
  return rangeOf(document.getIn(path, true));
}

/** sectionOf is the document of a kind that a foreign key stands for. */
export function sectionOf(property: string, fields: object, source: TextSource, at: Range): ReadSections {
  const kind = allKinds.find((each) => each.property === property);
  const read = kind?.schema.safeParse(fields);
  if (kind && read?.success) return { sections: [{ kind, value: read.data, source, at }], diagnostics: [] };
  const said = read?.error?.issues[0]?.message ?? `no kind of document for ${property}`;
  return { sections: [], diagnostics: [problemAt(source, at, property, said)] };
}

/** joined puts what several pieces said together. */
export function joined(reads: readonly ReadSections[]): ReadSections {
  return {
    sections: reads.flatMap(({ sections }) => sections),
    diagnostics: reads.flatMap(({ diagnostics }) => diagnostics),
  };
}
