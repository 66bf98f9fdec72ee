import { PlinthError } from '@plinth/base';
import { parseParagraphs } from './deb822.ts';

/** What the signed top of a suite says (Debian repository format, "Release files"). */
export interface Release {
  readonly codename: string;
  readonly date: Date;
  readonly validUntil?: Date;
  /** NotAutomatic: apt takes packages from here only when asked by name (backports). */
  readonly notAutomatic: boolean;
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly sizeBytes: number }>;
}

/** How far a mirror's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 24 * 3600 * 1000;

/**
 * parseRelease reads the verified text of an InRelease file and refuses one that is not for `suite` or not for `now`.
 * @throws debian/index-invalid, debian/index-expired
 */
export function parseRelease(text: string, suite: string, now: Date): Release {
  const [fields] = parseParagraphs(text);
  const codename = fields?.get('codename') ?? '';
  if (codename !== suite) throw invalid(suite, `it is for "${codename}"`, `"${suite}"`);
  const date = parseDate(fields?.get('date'));
  if (!date) throw invalid(suite, 'it has no readable Date', 'one');
  if (date.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    throw invalid(
      suite,
      `it is dated ${date.toISOString()}`,
      `at most ${now.toISOString()}, this machine's time`,
    );
  }
  const validUntilText = fields?.get('valid-until');
  const validUntil = parseDate(validUntilText);
  if (validUntilText !== undefined && !validUntil)
    throw invalid(suite, 'its Valid-Until is unreadable', 'a date');
  if (validUntil && validUntil < now) {
    const state = `it was valid until ${validUntil.toISOString()}, now is ${now.toISOString()}`;
    throw new PlinthError(
      'debian/index-expired',
      `Cannot use the index of ${suite}: ${state}, expected a fresh one`,
    );
  }
  return {
    codename,
    date,
    ...(validUntil && { validUntil }),
    notAutomatic: fields?.get('notautomatic') === 'yes',
    files: parseFiles(fields?.get('sha256') ?? ''),
  };
}

function parseFiles(text: string): Map<string, { sha256: string; sizeBytes: number }> {
  const files = new Map<string, { sha256: string; sizeBytes: number }>();
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)$/.exec(line);
    if (match) files.set(match[3] ?? '', { sha256: match[1] ?? '', sizeBytes: Number(match[2]) });
  }
  return files;
}

/** Dates are RFC 5322 with a zone, always UTC in practice: "Sat, 12 Sep 2026 07:55:41 UTC". */
function parseDate(text: string | undefined): Date | undefined {
  const timeMs = Date.parse(text ?? '');
  return Number.isNaN(timeMs) ? undefined : new Date(timeMs);
}

function invalid(suite: string, state: string, expected: string): PlinthError {
  return new PlinthError(
    'debian/index-invalid',
    `Cannot use the index of ${suite}: ${state}, expected ${expected}`,
  );
}
