import { PlinthError } from '@plinth/base';
import { SUMS_FILE } from '@plinth/updates';
import { compareText } from '../compare-text.ts';

/** A release has some twenty files; a list far longer is not one of ours. */
const LIMIT_BYTES = 1 << 20;

/**
 * formatSums writes a SHA256SUMS file as the strict parser of systemd-sysupdate wants it: 64 digits, two spaces,
 * plain name; sorted.
 * @param digests SHA-256 by file name
 */
export function formatSums(digests: ReadonlyMap<string, string>): string {
  return [...digests]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, sha256]) => `${sha256}  ${name}\n`)
    .join('');
}

/**
 * parseSums reads a SHA256SUMS file. Names with a slash, control characters or twice are refused: a name becomes a path.
 * @throws release/sums-invalid
 */
export function parseSums(text: string): Map<string, string> {
  if (text.length > LIMIT_BYTES) throw invalid(`it has ${text.length} bytes`, `at most ${LIMIT_BYTES}`);
  const digests = new Map<string, string>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw invalid('its last line has no end', 'a newline');
  lines.forEach((line, index) => {
    const [, sha256, name] = /^([0-9a-f]{64}) [ *]([^/\p{Cc}]+)$/u.exec(line) ?? [];
    const where = `line ${index + 1}`;
    if (sha256 === undefined || name === undefined) throw invalid(where, 'a digest and a plain file name');
    if (name === '.' || name === '..') throw invalid(`${where} names a folder`, 'a file');
    if (digests.has(name)) throw invalid(`${where} names ${name} again`, 'each file once');
    digests.set(name, sha256);
  });
  return digests;
}

function invalid(state: string, expected: string): PlinthError {
  return new PlinthError('release/sums-invalid', `Cannot read ${SUMS_FILE}: ${state}, expected ${expected}`);
}
