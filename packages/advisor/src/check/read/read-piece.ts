import { type Diagnostic, type ErrorCode, messageOf, type Span } from '@plinth/base';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import type { Json, Path } from '../model/json.ts';
import { type KubeObject, toKubeObject } from '../model/kube-object.ts';
import { aliasWithoutAnchor } from './alias-without-anchor.ts';
import { LIMITS } from './limits.ts';
import { locateJson } from './locate-json.ts';
import type { Piece } from './split-documents.ts';

/** What a document turned out to be. */
export type ReadPiece =
  | { readonly kind: 'object'; readonly object: KubeObject }
  /** Valid, and no object of Kubernetes, or one without anything to check. */
  | { readonly kind: 'other'; readonly known: boolean }
  | { readonly kind: 'problem'; readonly problem: Diagnostic };

const COLLECTION = /^[A-Za-z]*List$/;
/** Schemas of custom resources are large, and no workload is in them. */
const SCHEMA = /^kind: ["']?CustomResourceDefinition["']?\s*$/m;

/** What only stands in templates of charts: some of them are valid YAML by accident. */
const TEMPLATE = /^[^#\n]*\{\{-?\s*(?:[\w-]+\s+)*\.(?:Values|Release|Chart|Capabilities)\b/m;

/** readPiece parses one document, limits first. @param file the name shown in places */
export function readPiece(piece: Piece, file: string): ReadPiece {
  const problem = (
    code: ErrorCode,
    state: string,
    line = piece.firstLine,
    column = 1 + piece.columnsBefore,
  ): ReadPiece => ({
    kind: 'problem',
    problem: {
      code,
      severity: 'error',
      message: `Cannot check a document of ${file}: ${state}`,
      span: { file, line, column, length: 1 },
    },
  });
  if (piece.tooLarge)
    return problem('check/too-large', `more than ${LIMITS.documentBytes} bytes, expected at most as many`);
  if (isUtf16(piece.bytes)) return problem('check/not-text', 'it is UTF-16, expected UTF-8');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(piece.bytes);
  } catch {
    return problem('check/not-text', 'it is not UTF-8 text', piece.firstLine + badLine(piece.bytes));
  }
  if (text.includes('\0')) return problem('check/not-text', 'it holds a NUL character');
  if (!/\S/.test(text)) return { kind: 'other', known: true };
  if (SCHEMA.test(text)) return { kind: 'other', known: true };
  if (depthOf(text) > LIMITS.depth)
    return problem(
      'check/too-large',
      `nested more than ${LIMITS.depth} levels deep, expected at most as many`,
    );
  if (!piece.isJson && hasManyTokens(text))
    return problem('check/too-large', `more than ${LIMITS.tokens} tokens of YAML, expected at most as many`);
  const template = TEMPLATE.exec(text);
  if (template)
    return problem(
      'check/not-rendered',
      'a template of a chart that is not rendered, expected what "helm template" prints',
      piece.firstLine + text.slice(0, template.index).split('\n').length - 1,
    );
  return piece.isJson ? readJson(piece, text, file, problem) : readYaml(piece, text, file, problem);
}

/** By its mark, which Windows writes; without one by a first character that has a NUL beside it. */
function isUtf16([first, second]: Uint8Array): boolean {
  const mark = (first ?? 0) * 256 + (second ?? 0);
  return mark === 0xfffe || mark === 0xfeff || (first !== undefined && (first === 0) !== (second === 0));
}

type Problem = (code: ErrorCode, state: string, line?: number, column?: number) => ReadPiece;

function readJson(piece: Piece, text: string, file: string, problem: Problem): ReadPiece {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (reason) {
    // It may be YAML in the form of JSON, with comments or without quotes.
    const read = readYaml(piece, text, file, problem);
    if (read.kind === 'problem' && read.problem.code === 'check/not-rendered') return read;
    return read.kind === 'object'
      ? read
      : problem('check/broken-yaml', `no valid JSON (${messageOf(reason)})`);
  }
  const lineStarts = () => [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  let starts: readonly number[] | undefined;
  return classify(value, (path) => {
    const [start, end] = locateJson(text, path);
    starts ??= lineStarts();
    const line = starts.findLastIndex((each) => each <= start);
    return spanOf(piece, file, text, { line: line + 1, col: start - (starts[line] ?? 0) + 1 }, start, end);
  });
}

function readYaml(piece: Piece, text: string, file: string, problem: Problem): ReadPiece {
  const lines = new LineCounter();
  let document: Document | undefined;
  let value: Json;
  try {
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, merge: true, logLevel: 'error' });
    const [broken] = document.errors;
    if (broken?.message.includes('call stack')) return problem('check/too-large', 'nested too deep');
    if (broken) {
      const { line, col } = lines.linePos(broken.pos[0]);
      const isTemplate = text.includes('{{');
      const state = (broken.message.split('\n')[0] ?? 'no valid YAML').replace(
        / at line \d+, column \d+:?$/,
        '',
      );
      return problem(
        isTemplate ? 'check/not-rendered' : 'check/broken-yaml',
        isTemplate ? 'a template that is not rendered' : state,
        piece.firstLine + Math.max(line, 1) - 1,
        Math.max(col, 1),
      );
    }
    value = document.toJS({ maxAliasCount: LIMITS.aliases }) as Json;
  } catch (reason) {
    // The parser is recursive; a nesting that the count of the limits does not see ends here.
    if (reason instanceof RangeError) return problem('check/too-large', 'nested too deep');
    const loose = document && aliasWithoutAnchor(document);
    if (loose !== undefined) {
      const { line, col } = lines.linePos(loose.offset);
      const state = `the alias *${loose.name} has no anchor in its document or item of a list, expected one before it`;
      return problem('check/broken-yaml', state, piece.firstLine + line - 1, col);
    }
    return problem('check/too-many-aliases', 'its aliases unfold to too much');
  }
  const parsed = document;
  return classify(value, (path) => {
    const range = nodeAt(parsed, path)?.range;
    if (!range) return undefined;
    return spanOf(piece, file, text, lines.linePos(range[0]), range[0], range[1]);
  });
}

function classify(value: Json, locate: (path: Path) => Span | undefined): ReadPiece {
  const object = toKubeObject(value, locate);
  if (object === undefined) return { kind: 'other', known: value === null };
  if (COLLECTION.test(object.kind)) return { kind: 'other', known: true };
  return { kind: 'object', object };
}

function spanOf(
  piece: Piece,
  file: string,
  text: string,
  { line, col }: { readonly line: number; readonly col: number },
  start: number,
  end: number,
): Span {
  const lineEnd = text.indexOf('\n', start);
  const stop = Math.min(end, lineEnd < 0 ? text.length : lineEnd);
  return {
    file,
    line: piece.firstLine + line - 1,
    column: col + (line === 1 ? piece.columnsBefore : 0),
    length: Math.max(1, stop - start),
  };
}

/** The node at a way, through aliases; the nearest enclosing one when the way ends early. */
function nodeAt(document: Document, path: Path): Node | undefined {
  let here = document.contents as Node | null;
  for (const part of path) {
    const target: Node | null | undefined = isAlias(here) ? here.resolve(document) : here;
    if (!isCollection(target)) break;
    let next: unknown = target.get(part, true);
    if (next === undefined && isMap(target)) {
      const pair = target.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      next = pair?.value;
    }
    if (next === undefined || next === null) break;
    here = next as Node;
  }
  return here ?? undefined;
}

/** A token takes a character or more, so that short texts need not be counted. */
function hasManyTokens(text: string): boolean {
  if (text.length <= LIMITS.tokens) return false;
  let count = 0;
  for (const _ of new Lexer().lex(text)) if (++count > LIMITS.tokens) return true;
  return false;
}

/** Line, from 0, of the first byte that is no UTF-8. */
function badLine(bytes: Uint8Array): number {
  let line = 0;
  let from = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, end));
    } catch {
      return line;
    }
    line++;
    from = end + 1;
  }
  return line;
}

/** An upper bound of the nesting: brackets in texts count too, and each indicator or indent opens at most one level. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let indent = 0;
  let atStart = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a) [atStart, indent] = [true, 0];
    else if (atStart && code === 0x20) indent++;
    else {
      if (atStart) {
        atStart = false;
        deepest = Math.max(deepest, Math.ceil(Math.min(indent, 400) / 4));
      }
      if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
      else if (code === 0x5d || code === 0x7d) depth = Math.max(0, depth - 1);
    }
  }
  return deepest;
}
