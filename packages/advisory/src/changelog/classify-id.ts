import { compareDebianVersions } from '@plinth/base';
import type { FoundId } from './find-ids.ts';
import { type IdRole, OTHER_FILE, PATCH_FILE, ROLE_RULES, type RoleRule } from './role-rules.ts';

/** Why a role was chosen: the rule, and the words in the item's text that it went by. */
export interface IdReason {
  readonly rule: string;
  readonly words: string;
  /** Characters of the item's text that were read as one clause. */
  readonly start: number;
  readonly end: number;
}

/** The clause of an item around one identifier, with file names masked; offsets are those of the item's text. */
interface Clause {
  readonly masked: string;
  readonly before: string;
  readonly after: string;
  readonly start: number;
  readonly end: number;
}

/**
 * classifyId decides what one identifier is named for. It looks at the clause around the identifier first, then, if that
 * says nothing, at the bullets above.
 * @param version version of the entry, against which "mention … fixed in 1.2" is compared
 */
export function classifyId(
  text: string,
  found: FoundId,
  above: readonly string[],
  version: string,
): { readonly role: IdRole; readonly reason: IdReason; readonly inFile: boolean } {
  const clause = clauseAround(text, found);
  const inFile = isInFileName(text, found);
  const verdict = (role: IdRole, rule: string, words: string) => ({
    role,
    reason: { rule, words, start: clause.start, end: clause.end },
    inFile,
  });
  for (const rule of ROLE_RULES) {
    if (rule.role === 'regression' && isOwnId(clause.before, inFile)) continue;
    const words = fits(rule, clause, inFile, version);
    if (words !== undefined) return verdict(rule.role, rule.rule, words);
  }
  for (const parent of above.toReversed()) {
    const heading = lastSentence(parent);
    const whole: Clause = { ...clause, masked: heading, before: heading, after: heading };
    for (const rule of ROLE_RULES.filter(({ inherited }) => inherited === true)) {
      const words = fits(rule, whole, inFile, version);
      if (words !== undefined) return verdict(rule.role, `${rule.rule}, said above`, words);
    }
  }
  return verdict('fixed', 'named without reservation', text.slice(found.start, found.end));
}

function fits(rule: RoleRule, clause: Clause, inFile: boolean, version: string): string | undefined {
  if (rule.inFile === true && !inFile) return undefined;
  if (rule.unless?.test(clause.masked) === true) return undefined;
  const text =
    rule.where === 'before' ? clause.before : rule.where === 'after' ? clause.after : clause.masked;
  const match = rule.pattern.exec(text);
  if (!match) return undefined;
  const [words, named] = match;
  // The only group is a version: one later than the entry's cannot have fixed anything in it.
  if (named !== undefined && compareDebianVersions(named, upstreamOf(version)) > 0) return undefined;
  return words.slice(0, 120);
}

function upstreamOf(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}

/** Longer ones are no sentence; rules look no further than this on either side. */
const CLAUSE_LIMIT_CHARACTERS = 2000;

/** The clause ends where a sentence, a part of a list or a line of its own ("Closes: …") ends. */
function clauseAround(text: string, found: FoundId): Clause {
  let start = Math.max(0, found.start - CLAUSE_LIMIT_CHARACTERS);
  let end = Math.min(text.length, found.end + CLAUSE_LIMIT_CHARACTERS);
  const window = text.slice(start, end);
  const offset = start;
  for (const boundary of window.matchAll(/[.!?;]["')\]]*\s+(?=["'([<*]*[A-Z])|\n/g)) {
    const at = offset + boundary.index;
    if (at + boundary[0].length <= found.start) start = at + boundary[0].length;
    else if (at >= found.end) {
      end = at;
      break;
    }
  }
  // What stands before ends at the word that the identifier is part of.
  const word = /[^\s(["']*$/.exec(text.slice(start, found.start))?.[0] ?? '';
  const wordStart = /[:,]/.test(word) ? found.start : found.start - word.length;
  return {
    masked: mask(text.slice(start, end)),
    before: mask(text.slice(start, wordStart)),
    after: mask(text.slice(found.end, end)),
    start,
    end,
  };
}

const FILE_NAME =
  /[\w./+~{}*=>,-]*(?:\/[\w.+~*-]+|\.(?:patchi?|diff|dpatch|symbols|c|h|py)\b)[\w.*/+~-]*|[\w.+~-]*(?:CVE|CAN|GHSA)-\d{4}-\d{4,}[\w.+~*-]*/gi;
const PATCH_NAME = /patch|\.diff|d\/p\/|(?:CVE|CAN|GHSA)-/i;
const BARE_ID = /^\W*(?:CVE|CAN)-\d{4}-\d{4,19}\W*$/i;

/** Puts a mark in the place of each file name, and everything else in lower case. */
function mask(text: string): string {
  return text
    .replace(FILE_NAME, (name) =>
      BARE_ID.test(name) ? name : PATCH_NAME.test(name) ? PATCH_FILE : OTHER_FILE,
    )
    .replaceAll('\n', ' ')
    .toLowerCase();
}

/** An identifier is part of a file name when more than punctuation touches it. */
function isInFileName(text: string, { start, end }: FoundId): boolean {
  const touchesBefore = /[\w./+~*-]$/.test(text.slice(Math.max(0, start - 1), start));
  return touchesBefore || /^(?:[-_.][\w*]|[\w*/])/.test(text.slice(end, end + 2));
}

/**
 * Whether the clause is about this identifier, whatever is told afterwards: it begins with it ("CVE-2024-40767:
 * Regression …"), or it stands in brackets behind another one ("introduced by the fix for CVE-1 (CVE-2)").
 */
function isOwnId(before: string, inFile: boolean): boolean {
  if (inFile) return false;
  const leads = /^\W*(?:(?:security|\[\w+\]|cve-\d+-\d+)\W+)*$/.test(before);
  return leads || /cve-\d+-\d+ \($/.test(before);
}

function lastSentence(text: string): string {
  const sentences = mask(text.slice(-CLAUSE_LIMIT_CHARACTERS)).split(/[.!?;]\s+/);
  return sentences.findLast((sentence) => sentence.trim() !== '') ?? '';
}
