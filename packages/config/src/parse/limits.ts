import type { Diagnostic, PlinthError } from '@plinth/base';
import { Lexer } from 'yaml';

/** Bounds on a config, checked before anything of it is parsed. */
export const LIMITS = {
  bytes: 256 * 1024,
  documents: 64,
  depth: 32,
  tokens: 32 * 1024,
  problems: 50,
} as const;

/** A config that is refused as a whole, or its text. */
export type CheckedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** checkText holds bytes against the limits before anything parses them. */
export function checkText(bytes: Uint8Array, file: string): CheckedText {
  if (bytes.length > LIMITS.bytes)
    return tooLarge(file, `${bytes.length} bytes, expected at most ${LIMITS.bytes}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(file, 'it is not UTF-8 text');
  }
  if (text.includes('\0')) return refuse(file, 'it holds a NUL character');
  const documents = (text.match(/^(?:---|\.\.\.)/gm) ?? []).length;
  if (documents > LIMITS.documents)
    return tooLarge(file, `more than ${LIMITS.documents} documents, expected at most as many`);
  if (nestingDepth(text) > LIMITS.depth) return tooDeep(file);
  if (hasManyTokens(text))
    return tooLarge(file, `more than ${LIMITS.tokens} tokens of YAML, expected at most as many`);
  return { ok: true, text };
}

/** tooDeep refuses a config that is nested deeper than any valid one. */
export function tooDeep(file: string): CheckedText & { ok: false } {
  return tooLarge(file, `nested more than ${LIMITS.depth} levels deep, expected at most as many`);
}

/** refuse refuses a config as a whole: no place in it is to blame. */
export function refuse(file: string, state: string): CheckedText & { ok: false } {
  return failed('config/invalid', file, state);
}

function tooLarge(file: string, state: string): CheckedText & { ok: false } {
  return failed('config/too-large', file, state);
}

function failed(code: PlinthError['code'], file: string, state: string): CheckedText & { ok: false } {
  return { ok: false, diagnostics: [{ severity: 'error', code, message: `Cannot read ${file}: ${state}` }] };
}

/** What parsing costs grows with the tokens, some of it with their square; to find them takes one look at each byte. */
function hasManyTokens(text: string): boolean {
  let count = 0;
  for (const _ of new Lexer().lex(text)) if (++count > LIMITS.tokens) return true;
  return false;
}

/** An upper bound of the nesting: brackets in texts count too, and each indicator or indent opens at most one level. */
function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    if (char === ']' || char === '}') depth = Math.max(0, depth - 1);
  }
  for (const line of text.split('\n')) {
    const [indicators = ''] = /^(?: |[?:-](?=\s|$))*/.exec(line) ?? [];
    deepest = Math.max(deepest, indicators.replaceAll(' ', '').length, Math.ceil(indicators.length / 8));
  }
  return deepest;
}
