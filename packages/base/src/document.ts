import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { type ZodType, z } from 'zod';
import type { ErrorCode } from './codes/index.ts';
import type { Diagnostic, Span } from './error.ts';

export type ParsedDocument<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Bound on the size of a document, before anything of it is parsed. */
const LIMIT_BYTES = 4 * 1024 * 1024;
/** Nobody reads more at once, and finding the place of each takes time. */
const MOST_PROBLEMS = 50;

/**
 * readDocument parses YAML (or JSON) against a schema and reports every problem with its line and column.
 * Aliases are refused, so a small text cannot grow into a large value.
 * @param file the name shown in diagnostics
 * @param code the code all diagnostics of this kind of document carry
 */
export function readDocument<T>(
  text: string,
  file: string,
  schema: ZodType<T>,
  code: ErrorCode,
): ParsedDocument<T> {
  const fail = (message: string, span?: Span): ParsedDocument<T> => ({
    ok: false,
    diagnostics: [
      { code, severity: 'error', message: `Cannot read ${file}: ${message}`, ...(span ? { span } : {}) },
    ],
  });
  if (text.length > LIMIT_BYTES) return fail(`${text.length} characters, expected at most ${LIMIT_BYTES}`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.2' });
  const source: TextSource = { text, file, lines, code };
  const syntax = document.errors[0];
  if (syntax) return fail(syntax.message.split('\n')[0] ?? 'invalid YAML', spanAt(source, ...syntax.pos));
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 0 });
  } catch {
    return fail('it uses aliases, expected each value to be written out');
  }
  return checkData(data, document, schema, source);
}

/** The text that a document was read from. */
export interface TextSource {
  readonly text: string;
  /** The name shown in diagnostics. */
  readonly file: string;
  readonly lines: LineCounter;
  /** The code of every diagnostic about this text. */
  readonly code: ErrorCode;
}

/** spanAt is the place of text[start..end), cut at the end of its first line. */
export function spanAt({ text, file, lines }: TextSource, start: number, end: number): Span {
  const { line, col } = lines.linePos(start);
  const lineEnd = text.indexOf('\n', start);
  const stop = Math.min(end, lineEnd < 0 ? text.length : lineEnd);
  return { file, line, column: col, length: Math.max(1, stop - start) };
}

/**
 * checkData holds what a YAML document says against a schema; every problem has its place in the text, and an unknown
 * key a guess at the one that was meant.
 * @param data the document as a value, or the part of its top level that the schema is about
 * @param root what paths in diagnostics start with
 */
export function checkData<T>(
  data: unknown,
  document: Document,
  schema: ZodType<T>,
  source: TextSource,
  root = '$',
): ParsedDocument<T> {
  const result = schema.safeParse(data);
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.flatMap((issue): { issue: z.core.$ZodIssue; key?: string }[] =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ issue, key })) : [{ issue }],
  );
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const diagnostics = problems.slice(0, MOST_PROBLEMS).map(({ issue, key }): Diagnostic => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    const [start = 0, end = 0] = rangeOf(document, path, key);
    const known = key === undefined ? undefined : closest(key, keysOf(shape, path));
    return {
      code: source.code,
      severity: 'error',
      message: `Cannot read ${source.file}: ${key === undefined ? describeIssue(issue, path) : `unknown key "${key}"`}`,
      path: `${root}${path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')}`,
      span: spanAt(source, start, end),
      ...(known === undefined ? {} : { hint: `did you mean "${known}"?` }),
    };
  });
  return { ok: false, diagnostics };
}

/** What is expected, in the words of a config. */
const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a map',
  record: 'a map',
  string: 'a text',
};

/** Types and choices in the words of a config: the library's are of another thing. It is clear about the rest. */
function describeIssue(issue: z.core.$ZodIssue, path: readonly (string | number)[]): string {
  const last = path.at(-1);
  const field = last === undefined ? 'it' : typeof last === 'number' ? `item ${last + 1}` : `"${last}"`;
  // A schema that brings words of its own keeps them.
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid '))
    return `${field} has another value, expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
  const received = /^Invalid input: .*received (\w+)$/.exec(issue.message)?.[1];
  if (issue.code !== 'invalid_type' || received === undefined) return issue.message;
  const expected = TYPES[issue.expected] ?? issue.expected;
  if (received === 'undefined') return `no ${field}, expected ${expected}`;
  return `${field} is ${received === 'null' ? 'empty' : (TYPES[received] ?? 'of another kind')}, expected ${expected}`;
}

/** Where a value, or one key of it, stands in the text; the nearest enclosing value when it stands nowhere. */
function rangeOf(document: Document, path: readonly (string | number)[], key?: string): readonly number[] {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = (depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true)) as
      | Node
      | undefined;
    if (key !== undefined && isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range;
    }
    if (node?.range) return node.range;
  }
  return [];
}

/** The keys the schema knows at a path; empty where it cannot tell. */
function keysOf(shape: unknown, path: readonly (string | number)[]): string[] {
  let at: unknown = shape;
  for (const part of path) {
    if (!isRecord(at)) return [];
    const named = isRecord(at['properties']) ? at['properties'][part] : undefined;
    at = typeof part === 'number' ? at['items'] : (named ?? at['additionalProperties']);
  }
  return isRecord(at) && isRecord(at['properties']) ? Object.keys(at['properties']) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object';
}

/** The candidate nearest to `word`, if it is at most two edits away (Levenshtein). */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
