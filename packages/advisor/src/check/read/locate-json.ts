import type { Path } from '../model/json.ts';

/**
 * locateJson finds where a field stands in a text of valid JSON: offsets of its first character and the one after the
 * last. Of a way that ends early it gives the nearest enclosing value.
 */
export function locateJson(text: string, path: Path): readonly [start: number, end: number] {
  let start = skipSpace(text, 0);
  let end = skipValue(text, start);
  for (const part of path) {
    const child = typeof part === 'number' ? itemOf(text, start, part) : fieldOf(text, start, part);
    if (child === undefined) break;
    start = child;
    end = skipValue(text, start);
  }
  return [start, end];
}

function fieldOf(text: string, map: number, key: string): number | undefined {
  if (text[map] !== '{') return undefined;
  let i = skipSpace(text, map + 1);
  while (text[i] === '"') {
    const end = skipText(text, i);
    const value = skipSpace(text, skipSpace(text, end) + 1);
    if (JSON.parse(text.slice(i, end)) === key) return value;
    i = skipSpace(text, skipValue(text, value));
    if (text[i] !== ',') return undefined;
    i = skipSpace(text, i + 1);
  }
  return undefined;
}

function itemOf(text: string, list: number, index: number): number | undefined {
  if (text[list] !== '[') return undefined;
  let i = skipSpace(text, list + 1);
  for (let at = 0; at < index; at++) {
    i = skipSpace(text, skipValue(text, i));
    if (text[i] !== ',') return undefined;
    i = skipSpace(text, i + 1);
  }
  return text[i] === ']' ? undefined : i;
}

function skipValue(text: string, from: number): number {
  if (text[from] === '"') return skipText(text, from);
  if (text[from] !== '{' && text[from] !== '[') {
    let i = from;
    while (i < text.length && !/[,\]}\s]/.test(text[i] ?? '')) i++;
    return i;
  }
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = skipText(text, i) - 1;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return i + 1;
  }
  return text.length;
}

function skipText(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let i = from;
  while (i < text.length && /\s/.test(text[i] ?? '')) i++;
  return i;
}
