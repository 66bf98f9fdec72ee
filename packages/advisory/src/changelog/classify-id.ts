import { compareDebianVersions } from '@plinth/base';
import type { FoundId } from './find-ids.ts';

/**
 * What an entry does with an identifier. `corrected` is a fix as well: one that was claimed before and took effect only
 * now. `regression` repairs what an earlier fix broke, `dropped` takes a patch out, `mentioned` claims nothing.
 */
export type IdRole = 'fixed' | 'corrected' | 'regression' | 'dropped' | 'mentioned';

/** Why a role was chosen: the rule, and the words in the item's text that it went by. */
export interface IdReason {
  readonly rule: string;
  readonly words: string;
  /** Characters of the clause that was read. */
  readonly start: number;
  readonly end: number;
}

interface Rule {
  readonly rule: string;
  readonly role: IdRole;
  /** Where the words must stand: anywhere in the clause, before the identifier, or in a bullet above. */
  readonly where: 'clause' | 'before';
  readonly pattern: RegExp;
  /** Only for an identifier that is part of a file name. */
  readonly inFile?: boolean;
  /** Words that speak against the rule, in the whole clause. */
  readonly unless?: RegExp;
}

/** File names stand in the masked clause as this mark, so that "Drop-x.patch: add" does not read as dropping. */
const FILE = '\u25a0';
const ADDS =
  /\b(?:add|added|adds|adding|apply|applied|backport(?:ed)?|cherry-?pick(?:ed)?|import(?:ed)?|include|introduce|imported|pull)\b(?! upstream)/;
const DROP = 'drop(?:s|ped|ping)?|remov(?:e|es|ed|ing)|delet(?:e|es|ed|ing)';
const FORM = 'refresh\\w*|rebase\\w*|unfuzz\\w*|rediff\\w*|renam\\w*';
const PATCH = `(?:patch(?:es|set)?|diffs?|fix(?:es)?|backports?|hunks?|${FILE})`;

/** Stands above every other naming in the entry: what it names was in the version before. */
export const NO_CHANGE = 'same source as the version before';

/** The first rule that fits decides; where none fits, naming an identifier in an entry claims its fix. */
const RULES: readonly Rule[] = [
  {
    rule: 'mention of what an upstream version up to this one fixed',
    role: 'fixed',
    where: 'clause',
    pattern: /\bmention\w*\b.*\b(?:by|in|since)\s+v?(\d[\w.]*)/,
    unless: /\bprev(?:ious)?\b|\bchangelog entry\b/,
  },
  {
    rule: NO_CHANGE,
    role: 'mentioned',
    where: 'clause',
    pattern: new RegExp(`\\bno (?:source|code) changes\\b|\\bidentical (?:except|to)\\b[^;]*${FILE}`),
  },
  {
    rule: 'repairs what the fix broke',
    role: 'regression',
    where: 'before',
    pattern:
      /\bregress\w*\b.*\b(?:from|by|in|of|for|after|to|with|since|due)\b|^\W*cve-\d+-\d+: .*\bregression\b.*\($|\bfollow-?up\b|\bfix\w* up on\b|\bbro(?:ke|ken)\b.*\bfix|\b(?:fallout|breakage)\b|\bregression fix(?:es)?\b|\bintroduced (?:by|in|with) (?:the )?(?:\w+ ){0,2}(?:fix|patch)|\bfix(?:es)? (?:of|to|in) (?:the )?fix/,
  },
  {
    rule: 'repairs what the fix broke',
    role: 'regression',
    where: 'clause',
    pattern: /\bfix(?:es|ed)? (?:a |the |an )?(?:\w+ )?regression|\bregression (?:fix|update|repair)/,
    inFile: true,
  },
  {
    rule: 'written about, not fixed here',
    role: 'mentioned',
    where: 'clause',
    pattern:
      /\bmention(?:s|ed|ing)?\b|\b(?:in|to|of|from) (?:the )?prev(?:ious)? (?:\w+ ){0,2}(?:entry|entries|changelog|upload)|\bprevious(?:ly)? (?:changelog|entry|fixed|addressed)|\bchangelog correction|\bentry (?:\w+ ){0,3}(?:referenced|listed|named|mentioned)|\b(?:add|update|correct|fix)\w* (?:the )?cve[- ](?:id|number|name|reference)s?\b.*\b(?:entry|changelog|previous)/,
  },
  {
    rule: 'does not concern this package',
    role: 'mentioned',
    where: 'before',
    pattern:
      /\b(?:not|n't|un)[ -]?(?:be )?(?:affected|vulnerable|exploitable) (?:by|to|with|through)\W*(?:the )?$|\b(?:does|do|did) not (?:fix|address|affect)\W*$|\b(?:not|un|n't) ?(?:yet )?fix(?:ed)? (?:for )?\W*$/,
  },
  {
    rule: 'fixed in an earlier version',
    role: 'mentioned',
    where: 'clause',
    pattern:
      /\balready (?:been )?(?:in|fixed|applied|included|part of|addressed|present|done)\b|\bwas (?:already )?fixed in\b/,
    unless: new RegExp(`\\b(?:${DROP})\\b`),
  },
  {
    rule: 'an older claim made true',
    role: 'corrected',
    where: 'clause',
    pattern:
      /\bfor real\b|\breally fix|\bproperly (?:fix|address|apply)|\bthe right way\b|\bfix(?:es)? properly\b|\bcomplete (?:the )?(?:fix|patch)|\bfix (?:the )?incomplete fix|\bmissing (?:patch|part|commit|hunk|fix|piece)(?:es|s)? (?:for|of|from)\b|\baccidentally (?:left|disabled|dropped|not)|\bactually (?:fix|apply)|\bcorrect(?:ed)? (?:the )?(?:fix|patch) for\b/,
    unless: /\bregress/,
  },
  {
    rule: 'patch changed in form only',
    role: 'mentioned',
    where: 'clause',
    pattern: new RegExp(
      `\\b(?:${FORM})\\b[^.;]{0,60}?${PATCH}|${FILE}\\W+(?:\\w+\\W+){0,2}(?:${FORM})\\b|\\b(?:trailing )?white ?space\\b|\\bartef?acts?\\b|\\bapply cleanly\\b|\\bdep-?3\\b|\\bpatch header|^\\W*update[sd]? (?:the )?(?:\\S+ ){0,3}(?:patch(?:es)?|${FILE})(?!\\w)(?!.*\\b(?:to|which|that) (?:fix|address))`,
    ),
  },
  {
    rule: 'patch taken out',
    role: 'dropped',
    where: 'clause',
    pattern: new RegExp(
      `\\b(?:${DROP}|disabl(?:e|es|ed|ing)|revert(?:s|ed|ing)?)\\b(?:[^.;]{0,60}?)${PATCH}|${FILE}\\W+(?:was |were |is |are )?(?:${DROP}|disabled|superseded|obsolete)|\\bpatch(?:es)?\\W+(?:\\w+\\W+){0,3}(?:${DROP}|obsolete)\\b`,
    ),
    unless: new RegExp(`(?:${ADDS.source})[^.;]*\\b(?:${DROP})`),
  },
  {
    rule: 'patch taken out, included upstream',
    role: 'dropped',
    where: 'clause',
    pattern:
      /\b(?:applied|merged|included|incorporated|part of|superseded|integrated|accepted|now in) (?:by |in |to )?(?:new |the )?upstream|\bupstream(?:ed)? (?:applied|merged|included|incorporated)/,
    inFile: true,
    unless: /\bapplied upstream patch/,
  },
  {
    rule: 'concerns its test only',
    role: 'mentioned',
    where: 'clause',
    pattern:
      /\bfix(?:es|ed)? (?:the |a )?(?:failing )?tests?\b|\b(?:in|of|add|adds|added) (?:the |a |an? \w+ )?tests? (?:case )?(?:for|of)\b|\btest-?case\b.*\bdisable/,
  },
  {
    rule: 'named as a cause',
    role: 'mentioned',
    where: 'before',
    pattern:
      /\b(?:due to|because of|caused by|required (?:to|for)|prerequisite (?:of|for)|related to|similar to|variant of|see also|after (?:the )?(?:fix|patch)|bypass (?:of|for)|incomplete (?:fix|patch) (?:for|of)) (?:the )?(?:\w+ ){0,2}["'`]?$/,
  },
];

/** Rules whose words in a bullet above hold for what stands below it. */
const INHERITED = new Set([
  'patch taken out',
  'patch taken out, included upstream',
  'patch changed in form only',
  'written about, not fixed here',
]);

/** The clause of an item around one identifier, with file names masked; offsets are those of the item's text. */
interface Clause {
  readonly masked: string;
  readonly before: string;
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
): { readonly role: IdRole; readonly reason: IdReason } {
  const clause = clauseAround(text, found);
  const inFile = isInFileName(text, found);
  const subject = isSubject(clause.before);
  for (const rule of RULES) {
    // "CVE-2024-40767: Regression …": the identifier is what is fixed, whatever is told about it afterwards.
    if (subject && !inFile && rule.role === 'regression') continue;
    const match = fits(rule, clause, inFile, version);
    if (match !== undefined) {
      return {
        role: rule.role,
        reason: { rule: rule.rule, words: match, start: clause.start, end: clause.end },
      };
    }
  }
  for (const parent of above.toReversed()) {
    const heading = lastSentence(parent);
    const whole: Clause = { masked: heading, before: heading, start: clause.start, end: clause.end };
    for (const rule of RULES) {
      if (!INHERITED.has(rule.rule) || (rule.inFile && !inFile)) continue;
      const match = fits(rule, whole, true, version);
      if (match !== undefined) {
        const reason = {
          rule: `${rule.rule}, said above`,
          words: match,
          start: clause.start,
          end: clause.end,
        };
        return { role: rule.role, reason };
      }
    }
  }
  const words = text.slice(found.start, found.end);
  return {
    role: 'fixed',
    reason: { rule: 'named without reservation', words, start: clause.start, end: clause.end },
  };
}

function fits(rule: Rule, clause: Clause, inFile: boolean, version: string): string | undefined {
  if (rule.inFile && !inFile) return undefined;
  if (rule.unless?.test(clause.masked)) return undefined;
  const match = rule.pattern.exec(rule.where === 'before' ? clause.before : clause.masked);
  if (!match) return undefined;
  const named = match[1];
  // The only rule with a group: a version later than the entry's cannot have fixed anything in it.
  if (named !== undefined && compareDebianVersions(named, upstreamOf(version)) > 0) return undefined;
  return match[0].slice(0, 120);
}

function upstreamOf(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}

/** The clause ends where a sentence, a part of a list or a line of its own ("Closes: …") ends. */
function clauseAround(text: string, found: FoundId): Clause {
  let start = 0;
  let end = text.length;
  for (const boundary of text.matchAll(/[.!?;]["')\]]*\s+(?=["'([<*]*[A-Z])|\n/g)) {
    const after = boundary.index + boundary[0].length;
    if (after <= found.start) start = after;
    else if (boundary.index >= found.end) {
      end = boundary.index;
      break;
    }
  }
  // What stands before: up to the word that the identifier is part of.
  const word = /[^\s(["']*$/.exec(text.slice(start, found.start))?.[0] ?? '';
  const wordStart = /[:,]/.test(word) ? found.start : found.start - word.length;
  return { masked: mask(text.slice(start, end)), before: mask(text.slice(start, wordStart)), start, end };
}

const FILE_NAME =
  /[\w./+~{}*=>,-]*(?:\/[\w.+~*-]+|\.(?:patchi?|diff|dpatch|symbols|c|h|py)\b)[\w.*/+~-]*|[\w.+~-]*(?:CVE|CAN|GHSA)-\d{4}-\d{4,}[\w.+~*-]*/gi;

/** Puts the mark in the place of each file name, and lower case everywhere else. */
function mask(text: string): string {
  return text
    .replace(FILE_NAME, (name) => (/^\W*(?:CVE|CAN)-\d{4}-\d{4,19}\W*$/i.test(name) ? name : FILE))
    .replaceAll('\n', ' ')
    .toLowerCase();
}

/** An identifier is part of a file name when more than punctuation touches it. */
function isInFileName(text: string, { start, end }: FoundId): boolean {
  return (
    /[\w./+~*-]$/.test(text.slice(Math.max(0, start - 1), start)) ||
    /^(?:[-_.][\w*]|[\w*/])/.test(text.slice(end, end + 2))
  );
}

/** Nothing but list signs, tags and other identifiers stands before it. */
function isSubject(before: string): boolean {
  return /^[\W]*(?:(?:fix(?:es|ed)?|security|\[\w+\]|cve-\d+-\d+)\W+)*$/.test(before);
}

function lastSentence(text: string): string {
  const sentences = mask(text).split(/[.!?;]\s+/);
  return sentences.findLast((sentence) => sentence.trim() !== '') ?? '';
}
