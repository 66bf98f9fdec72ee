import type { ChangelogEntry } from '../model/index.ts';

/** An entry with the lines it was read from: line numbers count from 1, the end is the trailer line. */
export interface LocatedEntry extends ChangelogEntry {
  readonly span: { readonly firstLine: number; readonly lastLine: number };
}

/** Chromium's changelog has 3 MB and Linux' more than 8; nothing real comes near these. */
const TEXT_LIMIT_CHARACTERS = 64 * 1024 * 1024;
const ENTRY_LIMIT = 20_000;
const ENTRY_LIMIT_CHARACTERS = 4 * 1024 * 1024;
const LINE_LIMIT_CHARACTERS = 20_000;

const HEADING =
  /^([a-z0-9][a-z0-9+.-]{0,99}) \(([0-9][A-Za-z0-9.+:~-]{0,199})\)((?:\s+[A-Za-z0-9.+~-]{1,60}){0,20})\s*;\s*(.{0,500})$/i;
const TRAILER = /^ --\s?(.*)$/;

/**
 * parseChangelog reads a Debian changelog (deb-changelog(5)), newest entry first, as far as it can be read: what stands
 * outside an entry (editor settings, old formats) is skipped, an entry without a trailer ends at the next heading, and
 * reading stops at the limits. Bytes must be decoded before; U+FFFD does no harm.
 */
export function parseChangelog(text: string): readonly LocatedEntry[] {
  const entries: LocatedEntry[] = [];
  let open: OpenEntry | undefined;
  let line = 0;
  for (const content of lines(text.slice(0, TEXT_LIMIT_CHARACTERS))) {
    line++;
    const heading = HEADING.exec(content);
    if (heading) {
      if (open) entries.push(closed(open, line - 1));
      if (entries.length >= ENTRY_LIMIT) return entries;
      open = opened(heading, line);
      continue;
    }
    if (!open) continue;
    const trailer = TRAILER.exec(content);
    if (trailer) {
      entries.push(closed(open, line, trailer[1]));
      open = undefined;
    } else if (open.sizeCharacters < ENTRY_LIMIT_CHARACTERS) {
      open.lines.push(content);
      open.sizeCharacters += content.length + 1;
    }
  }
  if (open) entries.push(closed(open, line));
  return entries;
}

interface OpenEntry {
  readonly source: string;
  readonly version: string;
  readonly distributions: readonly string[];
  readonly urgency: string;
  readonly firstLine: number;
  readonly lines: string[];
  sizeCharacters: number;
}

function opened(heading: RegExpExecArray, firstLine: number): OpenEntry {
  const [, source = '', version = '', distributions = '', metadata = ''] = heading;
  return {
    source,
    version,
    distributions: distributions.split(/\s+/).filter((name) => name !== ''),
    urgency: (/urgency=([A-Za-z]{1,20})/i.exec(metadata)?.[1] ?? '').toLowerCase(),
    firstLine,
    lines: [],
    sizeCharacters: 0,
  };
}

function closed(entry: OpenEntry, lastLine: number, trailer = ''): LocatedEntry {
  const { source, version, distributions, urgency, firstLine, lines: body } = entry;
  const date = isoDate(trailer);
  return {
    source,
    version,
    distributions,
    urgency,
    ...(date === undefined ? {} : { date }),
    text: trimmed(body).join('\n'),
    span: { firstLine, lastLine },
  };
}

/** The trailer ends in a date as RFC 5322 writes it; old entries lack the zone or put a comment behind it. */
function isoDate(trailer: string): string | undefined {
  const written =
    /(\d{1,2})\s+([A-Z][a-z]{2})[a-z]*\s+(\d{4})\s+(\d{1,2}:\d{2}(?::\d{2})?)\s*([+-]\d{4})?/.exec(trailer);
  if (!written) return undefined;
  const [, day, month, year, time, zone = '+0000'] = written;
  const instant = new Date(`${day} ${month} ${year} ${time} ${zone}`);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
}

function trimmed(body: readonly string[]): readonly string[] {
  const first = body.findIndex((content) => content.trim() !== '');
  if (first < 0) return [];
  const last = body.findLastIndex((content) => content.trim() !== '');
  return body.slice(first, last + 1);
}

function* lines(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const stop = end < 0 ? text.length : end;
    const content = text.slice(start, Math.min(stop, start + LINE_LIMIT_CHARACTERS));
    yield content.replace(/[\r\0]+$/, '');
    start = stop + 1;
  }
}
