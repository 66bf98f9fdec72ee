import { createHash } from 'node:crypto';

/** What the hash of the line before the first one is. */
export const AUDIT_ORIGIN = '0'.repeat(64);

/** A place in an audit log that a client remembers: the log must still lead through it. */
export interface AuditCheckpoint {
  readonly sequence: number;
  /** SHA-256 of that line, hexadecimal. */
  readonly hash: string;
}

/** What became of a verification. */
export interface AuditVerdict {
  /** "unknown": the lines are sound, but do not reach back to what the client remembers. */
  readonly verdict: 'pass' | 'fail' | 'unknown';
  /** What is wrong, each with the number of the line; empty for "pass". */
  readonly problems: readonly string[];
  readonly lines: number;
  readonly first: number;
  /** The newest line, to be remembered; undefined when there is none. */
  readonly head: AuditCheckpoint | undefined;
}

export interface AuditVerifier {
  /** Takes the next line. */
  add(line: string): void;
  finish(): AuditVerdict;
}

const PROBLEMS_LIMIT = 20;

/** auditLineHash is what the line after `line` must carry as `prev`. */
export function auditLineHash(line: string): string {
  return createHash('sha256').update(line, 'utf8').digest('hex');
}

/**
 * openAuditVerifier checks lines of an audit log, oldest first: each must have the number after the one before and its hash.
 * The first line must be number 1, or one the log itself says it dropped what was before; with `part` any first line will do.
 * @param remembered a head seen earlier: the line of that number must still be that line
 */
export function openAuditVerifier(
  remembered: AuditCheckpoint | undefined,
  options: { readonly part?: boolean } = {},
): AuditVerifier {
  const problems: string[] = [];
  let first = 0;
  let lines = 0;
  let head: AuditCheckpoint | undefined;
  let droppedUpTo = 0;
  let met = false;
  const complain = (problem: string) => {
    if (problems.length < PROBLEMS_LIMIT) problems.push(problem);
  };
  return {
    add(line) {
      lines++;
      const link = readLink(line);
      const expected = head && head.sequence + 1;
      if (!link) complain(`line ${expected ?? 'one'} is no audit line`);
      const sequence = link?.sequence ?? expected ?? 0;
      if (link && expected !== undefined && sequence !== expected)
        complain(`after line ${expected - 1} comes line ${sequence}: ${gap(sequence - expected)}`);
      if (link && head && sequence === expected && link.previous !== head.hash)
        complain(`line ${head.sequence} is not what line ${sequence} was written after: one was changed`);
      if (link && sequence === 1 && link.previous !== AUDIT_ORIGIN)
        complain('line 1 says that there is one before it');
      if (head === undefined) first = sequence;
      if (link?.droppedUpTo !== undefined) droppedUpTo = Math.max(droppedUpTo, link.droppedUpTo);
      head = { sequence, hash: auditLineHash(line) };
      if (remembered?.sequence === sequence) {
        met = true;
        if (remembered.hash !== head.hash)
          complain(`line ${sequence} is another than the one remembered: the log was written anew`);
      }
    },
    finish() {
      if (!options.part && lines > 0 && first > droppedUpTo + 1)
        complain(
          `the log begins with line ${first} and says it dropped up to line ${droppedUpTo}: the begin was cut`,
        );
      const last = head?.sequence ?? 0;
      if (remembered && last < remembered.sequence)
        complain(
          `the log ends with line ${last}, remembered is line ${remembered.sequence}: the end was cut`,
        );
      const unlinked = remembered && !met && first > remembered.sequence;
      if (problems.length > 0) return { verdict: 'fail', problems, lines, first, head };
      if (!unlinked) return { verdict: 'pass', problems, lines, first, head };
      const problem = `the log begins with line ${first}, remembered is line ${remembered.sequence}: what lies between was dropped, so the two cannot be compared`;
      return { verdict: 'unknown', problems: [problem], lines, first, head };
    },
  };
}

function gap(missing: number): string {
  return missing > 0 ? `${missing} missing` : 'out of order';
}

interface Link {
  readonly sequence: number;
  readonly previous: string;
  readonly droppedUpTo: number | undefined;
}

/** The parts of a line that hold the chain together; undefined for what is no line of an audit log. */
function readLink(line: string): Link | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('seq' in value) || !('prev' in value))
    return undefined;
  const { seq, prev } = value;
  if (!Number.isSafeInteger(seq) || typeof seq !== 'number' || seq < 1 || typeof prev !== 'string')
    return undefined;
  const dropped =
    'event' in value && value.event === 'audit.dropped' && 'upTo' in value ? value.upTo : undefined;
  return { sequence: seq, previous: prev, droppedUpTo: typeof dropped === 'number' ? dropped : undefined };
}
