import { createHash } from 'node:crypto';

/**
 * What an entry does with an identifier. `corrected` is a fix as well: one that was claimed before and took effect only
 * now. `regression` repairs what an earlier fix broke, `dropped` takes a patch out, `mentioned` claims nothing.
 */
export type IdRole = 'fixed' | 'corrected' | 'regression' | 'dropped' | 'mentioned';

/** Words that give an identifier its role. Texts are in lower case, file names replaced by the marks below. */
export interface RoleRule {
  readonly rule: string;
  readonly role: IdRole;
  /** Where the words must stand: anywhere in the clause, before the identifier, or after it. */
  readonly where: 'clause' | 'before' | 'after';
  readonly pattern: RegExp;
  /** Only for an identifier that is part of a file name. */
  readonly inFile?: boolean;
  /** Words in the clause that speak against the rule. */
  readonly unless?: RegExp;
  /** Also read in the bullets above: what they say holds for what stands below them. */
  readonly inherited?: boolean;
}

/** Marks for file names, so that "Drop-x.patch: add" does not read as dropping: patches, and any other path. */
export const PATCH_FILE = '\u25a0';
export const OTHER_FILE = '\u25a1';
/** Weighs more than every other naming in the entry: what it names was in the version before. */
export const NO_CHANGE = 'same source as the version before';

const ID = '(?:cve|can|ghsa)-[\\w-]+';
const DROP = 'drop(?:s|ped|ping)?|remov(?:e|es|ed|ing)|delet(?:e|es|ed|ing)';
const FORM = 'refresh\\w*|rebase\\w*|unfuzz\\w*|re-?diff\\w*|renam\\w*';
const PATCH_NOUN = `(?:patch(?:es|set)?|diffs?|backports?|${PATCH_FILE})`;
/** "drop the fix for …" takes it out; "drop SSLv3 to fix …" and "drop SSLv3, fixes …" do the fixing. */
const FIX_NOUN =
  '(?:(?:the|our|upstream|security|local|old) (?:\\w+ ){0,2}fix(?:es)?|(?<!to )fix(?:es)? (?:for|of|from))\\b';
/** What follows a verb within its part of the sentence: a patch, or a fix. */
const OF_PATCH = `(?:[^.;]{0,60}?${PATCH_NOUN}|[^.,;]{0,60}?${FIX_NOUN})`;
const ADDS =
  '\\b(?:add|added|adds|adding|apply|applied|backport(?:ed)?|cherry-?pick(?:ed)?|import(?:ed)?|include|introduce|imported|pull)\\b(?! upstream)';

/** The first rule that fits decides; where none fits, naming an identifier in an entry claims its fix. */
export const ROLE_RULES: readonly RoleRule[] = [
  {
    rule: 'mention of what this version fixes',
    role: 'fixed',
    where: 'clause',
    pattern: /\bmention\w*\b.*\b(?:this (?:version|release|upload) fix|(?:by|in|since)\s+v?(\d[\w.]*))/,
    unless: /\bprev(?:ious)?\b|\bchangelog entry\b/,
    inherited: true,
  },
  {
    // Whatever else the sentence tells: "drop obsolete patches and fix CVE-1", "refresh patches, add CVE-1.patch".
    rule: 'fixed as well',
    role: 'fixed',
    where: 'before',
    pattern: /(?:\band|[,;])\s+(?:also |then )?(?:fix(?:es)?|adds?)\s+(?:patch(?:es)? |the )?\W*$/,
    unless: /\bregress|\bprevious|\balready\b|\bfollow-?up\b|\bcves?[- ](?:id|number|entr)/,
  },
  {
    rule: NO_CHANGE,
    role: 'mentioned',
    where: 'clause',
    pattern: new RegExp(`\\bno (?:source|code) changes\\b|\\bidentical (?:except|to)\\b[^;]*${PATCH_FILE}`),
  },
  {
    rule: 'an older claim made true',
    role: 'corrected',
    where: 'after',
    pattern: /^\W*(?:\(again\)|for real\b|for good\b|properly\b|the right way\b)/,
  },
  {
    rule: 'does not concern this package',
    role: 'mentioned',
    where: 'after',
    pattern:
      /^\W*(?:(?:does|do|did) ?(?:not|n't) (?:affect|apply|concern)(?=$|[^\w\s]|\s+(?:to|us|this|the|here|debian|stable|unstable|version|any|our|in|since|as|because|for|upstream|packages?|us|it)\b)|(?:is|are|was|were) ?(?:not|n't) (?:affect|vulnerable|applicable|relevant|present|exploitable|fixed)|not (?:affected|applicable|vulnerable|(?:yet )?fixed(?! upstream))|vulnerable code (?:is )?not|unfixed|remains? (?:open|unfixed|vulnerable)|(?:was |were )?deemed a false)/,
  },
  {
    rule: 'repairs what the fix broke',
    role: 'regression',
    where: 'before',
    pattern: new RegExp(
      `\\bregress\\w*\\b.*\\b(?:from|by|in|of|for|after|to|with|since|due)\\b|^\\W*${ID}: .*\\bregression\\b.*\\($|\\bfollow-?up\\b|\\bfix\\w* up on\\b|\\bbro(?:ke|ken)\\b.*(?:\\b(?:by|with|since|after|due to|from|in) .*|\\bthe (?:\\w+ )?)\\bfix|\\b(?:fallout|breakage)\\b|\\bregression fix(?:es)?\\b|\\bintroduced (?:by|in|with) (?:the )?(?:\\w+ ){0,2}(?:fix|patch)|\\bfix(?:es)? (?:of|to|in|for) the (?:\\w+ )?fix|\\bfix\\w* (?:ftbfs|the build|autopkgtests?)\\b.*\\b(?:caused|introduced|after|due)\\b`,
    ),
    unless: /\bregression tests?\b|\b(?:caused|causing|led to|leading to|resulting in) (?:cve-|\u25a0)/,
  },
  {
    rule: 'repairs what the fix broke',
    role: 'regression',
    where: 'clause',
    pattern: new RegExp(
      `\\bfix\\w* (?:the |a )?(?:${ID}\\W+(?:and )?)+regressions?\\b(?! tests?)|\\bfix(?:es)? (?:for|of) ${ID} (?:was|is|broke|breaks|caused|introduced|could|led|did)\\b`,
    ),
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
      /\bmention(?:s|ed|ing)?\b|\b(?:in|to|of|from) (?:the )?prev(?:ious)? (?:\w+ ){0,2}(?:entry|entries|changelog|upload)|\bprevious(?:ly)? (?:changelog|entry|fixed|addressed|backported|included|applied)|\bchangelog correction|\bentry (?:\w+ ){0,3}(?:referenced|listed|named|mentioned)|\b(?:add|update|correct|fix)\w* (?:the |missing |historic )*cve[- ](?:id|number|name|reference|identifier)s?\b.*\b(?:entry|entries|changelog|previous)|\battribution only\b|\bfor the existing\b|\bnow (?:tracked|known) as\b|\bensure (?:that )?(?:we|it) (?:have|has|gets?)\b.*\bfix/,
    inherited: true,
  },
  {
    rule: 'does not concern this package',
    role: 'mentioned',
    where: 'before',
    pattern:
      /\b(?:not|n't|un)[ -]?(?:be )?(?:affected|vulnerable|exploitable) (?:by|to|with|through)\W*(?:the )?$|\b(?:does|do|did) not (?:fix|address|affect)\W*$|\b(?:not|un|n't) ?(?:yet )?fix(?:ed)? (?:for )?\W*$|\bstill (?:vulnerable|affected)\b[^;]*$/,
  },
  {
    rule: 'fixed in an earlier version',
    role: 'mentioned',
    where: 'clause',
    pattern:
      /\balready (?:been )?(?:in|fixed|applied|included|part of|addressed|present|done)\b|\bw(?:as|ere) (?:already )?fixed in (?!this)|\bin the (?:prior|previous|last|preceding) (?:release|version|upload|nmu)\b/,
    unless: new RegExp(`\\b(?:${DROP})\\b`),
    inherited: true,
  },
  {
    rule: 'an older claim made true',
    role: 'corrected',
    where: 'clause',
    pattern:
      /\breally fix|\bproperly (?:fix|address|apply)|\bthe right way\b|\bfix(?:es)? properly\b|\bcomplete (?:the )?(?:fix|patch)|\bfix (?:the )?incomplete fix|\bmissing (?:patch|part|commit|hunk|fix|piece)(?:es|s)? (?:for|of|from|to|in)\b|\baccidentall?y (?:left|disabled|dropped|not)|\bactually (?:fix|apply)|\bcorrect(?:ed)? (?:the )?(?:fix|patch) for\b|\bimprove[sd]? (?:the )?fix|\bbetter fix\b/,
    unless: /\bregress/,
  },
  {
    rule: 'patch changed in form only',
    role: 'mentioned',
    where: 'clause',
    pattern: new RegExp(
      `\\b(?:${FORM})\\b${OF_PATCH}|${PATCH_FILE}[:,\\s]+(?:\\w+\\W+){0,2}(?:${FORM})\\b|\\btrailing white ?space\\b(?! handling)|${PATCH_FILE}[:,\\s][^.;]{0,40}\\b(?:white ?space|artef?acts?)\\b|\\bapply cleanly\\b|\\bdep-?3\\b|\\bpatch header|^\\W*update[sd]? (?:the )?(?:\\S+ ){0,3}(?:patch(?:es)?|(?<!to )fix|${PATCH_FILE})(?!\\w)(?!.*\\b(?:to|which|that) (?:fix|address))`,
    ),
    inherited: true,
  },
  {
    rule: 'patch reverted',
    role: 'dropped',
    where: 'clause',
    pattern: new RegExp(`\\brevert(?:s|ed|ing)?\\b${OF_PATCH}`),
    unless: /\b(?:introduc|caus|expos)\w*\b/,
    inherited: true,
  },
  {
    rule: 'patch taken out',
    role: 'dropped',
    where: 'clause',
    pattern: new RegExp(
      `\\b(?:${DROP}|disabl(?:e|es|ed|ing))\\b${OF_PATCH}|${PATCH_FILE}[:,\\s]+(?:was |were |is |are )?(?:dropped|removed|deleted|disabled|superseded|obsolete|(?:${DROP})(?=\\W*$|\\W*[,;.(]|,? (?:as|since|because|applied|included|merged|fixed|now|it|patch|upstream|which|in|from|by|no longer|after|due|obsolete|this|cherry|backport)))|\\bpatch(?:es)?\\W+(?:\\w+\\W+){0,3}(?:${DROP}|obsolete)\\b`,
    ),
    unless: new RegExp(`(?:${ADDS})[^.;]*\\b(?:${DROP})`),
    inherited: true,
  },
  {
    rule: 'patch taken out, included upstream',
    role: 'dropped',
    where: 'clause',
    pattern:
      /\b(?:applied|merged|included|incorporated|part of|superseded|integrated|accepted|now in) (?:by |in |to )?(?:new |the )?upstream|\bupstream(?:ed)? (?:applied|merged|included|incorporated)/,
    inFile: true,
    unless: /\bapplied upstream patch/,
    inherited: true,
  },
  {
    rule: 'concerns its test only',
    role: 'mentioned',
    where: 'before',
    pattern:
      /\bfix(?:es|ed)? (?:the |a )?(?:failing )?tests?\b(?!(?:.*\band\b|.*,))|\b(?:in|of) (?:the |a )?tests? (?:case )?(?:for|of)\b|\b(?:add|adds|added|new|enable|regression) (?:\w+ ){0,3}tests? (?:case )?(?:for|of|covering)\b/,
    unless: /\bfix\w* and\b|\bpatch/,
  },
  {
    rule: 'named as a cause',
    role: 'mentioned',
    where: 'before',
    pattern:
      /\b(?:due to|because of|caused by|required (?:to|for)|prerequisite (?:of|for)|related to|similar to|variant of|see also|after (?:the )?(?:fix|patch)|bypass (?:of|for)|incomplete (?:fix|patch) (?:for|of)) (?:the )?(?:\w+ ){0,2}["'`]?$/,
    // "Fix remote code execution due to CVE-1" names what is fixed.
    unless:
      /\bfix(?:es|ed)? (?:an? |the )?(?!ftbfs|build|regress|tests?\b|autopkg)[^;,]*\b(?:due to|because of|caused by|related to) (?:cve-|\u25a0)/,
  },
];

/**
 * rulesNumber is another number, from 1 to 2³¹ - 1, whenever a rule is another: what was read by older rules is read again.
 */
export function rulesNumber(): number {
  const written = ROLE_RULES.map(({ pattern, unless, ...rest }) => [
    rest,
    pattern.source,
    unless?.source ?? '',
  ]);
  const digest = createHash('sha256').update(JSON.stringify(written)).digest();
  return digest.readUInt32BE(0) & 0x7fff_ffff || 1;
}
