import { normaliseId } from '../model/index.ts';

/** An identifier and the characters of the text that name it; an abbreviated one has those of its abbreviation. */
export interface FoundId {
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

/** More identifiers than this in one bullet are no bullet. Chromium's longest has under 100. */
const ID_LIMIT = 2000;
/** "CVE-2020-1 to CVE-2020-9" stands for what lies between, as long as a person would write it so. */
const RANGE_LIMIT = 64;

/** CAN- was CVE's prefix for candidates until 2005; the numbers are the same. Dashes come in several shapes. */
const ANY_ID =
  /(?<![A-Za-z0-9])(?:(?:CVE|CAN)[-\u2010-\u2014 _](?:ID[: ])?(\d{4})[-\u2010-\u2014](?:(\d{4,19})(?!\d|\{\d)|(\d{0,6})\{([\d, ]{1,200})\})|(GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})(?![a-z0-9])|((?:DSA|DLA)[- ]\d{1,6}(?:-\d{1,3})?)(?![\d-]*\d)|(TEMP-\d{7}-[0-9A-F]{6})(?![0-9A-F])|(GO-\d{4}-\d{4,9})(?!\d))/gi;
/** What may follow an identifier to name another one of the same year. */
const NEXT_NUMBER =
  /^(?:\s*\/\s*-?|\s*,\s*-|\s*,\s+(?:and\s+)?(?=\d{4,7}\b)|\s*(?:&|and)\s+-?|\|)(\d{4,7})(?![\w-]|\.\d)/i;
const NEXT_WITH_YEAR = /^\s*(?:,|\/|&|and)\s*(\d{4}-\d{4,7})(?![\w-]|\.\d)/i;
const RANGE = /^\s*(?:to|through|until|\.\.\.?|\u2013|\u2014|-)\s*(?:CVE-(\d{4})-)?(\d{4,7})(?![\w-])/i;
/** "CVE-2025-1632-25724.patch" fixes two. */
const GLUED = /^-(\d{5,6})(?![\w]|-\d)/;

/**
 * findIds finds the identifiers of flaws that a text names, each in its one spelling: CVE (also as CAN), GHSA, DSA, DLA,
 * TEMP and GO; lists that name the year once, braces and ranges give each identifier they stand for.
 */
export function findIds(text: string): readonly FoundId[] {
  const found: FoundId[] = [];
  for (const match of text.matchAll(ANY_ID)) {
    if (found.length >= ID_LIMIT) break;
    const [whole, year, number, common = '', braced, other, ...rest] = match;
    const start = match.index;
    const end = start + whole.length;
    if (year === undefined) {
      const name = [other, ...rest].find((candidate) => candidate !== undefined);
      add(found, (name ?? '').replace(/^(DSA|DLA) /i, '$1-'), start, end);
    } else if (braced !== undefined) {
      for (const each of braced.split(/[ ,]+/)) add(found, `CVE-${year}-${common}${each}`, start, end);
    } else if (number !== undefined) {
      add(found, `CVE-${year}-${number}`, start, end);
      addList(found, text, year, number, end);
    }
  }
  return found;
}

function addList(found: FoundId[], text: string, firstYear: string, firstNumber: string, from: number): void {
  let year = firstYear;
  let last = firstNumber;
  let at = from;
  for (let count = 0; count < RANGE_LIMIT; count++) {
    const rest = text.slice(at, at + 40);
    const next = NEXT_NUMBER.exec(rest);
    const [withYear, named] = NEXT_WITH_YEAR.exec(rest) ?? [];
    const range = RANGE.exec(rest);
    const glued = GLUED.exec(rest);
    if (withYear !== undefined && named !== undefined && /^(?:19|20)\d\d-/.test(named)) {
      add(found, `CVE-${named}`, at, at + withYear.length);
      [year = year, last = last] = named.split('-');
      at += withYear.length;
    } else if (next?.[1] !== undefined && !looksLikeYear(next[1], last)) {
      add(found, `CVE-${year}-${next[1]}`, at, at + next[0].length);
      last = next[1];
      at += next[0].length;
    } else if (glued?.[1] !== undefined) {
      add(found, `CVE-${year}-${glued[1]}`, at, at + glued[0].length);
      return;
    } else if (range?.[2] !== undefined && (range[1] ?? year) === year) {
      const [low, high] = [Number(last), Number(range[2])];
      if (high <= low || high - low > RANGE_LIMIT) return;
      // A last one written in full is found by itself.
      const end = range[1] === undefined ? high : high - 1;
      for (let each = low + 1; each <= end; each++) {
        add(found, `CVE-${year}-${String(each).padStart(4, '0')}`, at, at + range[0].length);
      }
      at += range[0].length;
      last = range[2];
    } else return;
  }
}

/** "CVE-2024-12345, 2025" says a year; beside a number of four digits it may be one more number. */
function looksLikeYear(number: string, beside: string): boolean {
  return /^(?:19|20)\d\d$/.test(number) && beside.length > 4;
}

function add(found: FoundId[], name: string, start: number, end: number): void {
  const id = normaliseId(name);
  if (id !== undefined) found.push({ id, start, end });
}
