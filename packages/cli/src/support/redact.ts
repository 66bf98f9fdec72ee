/** What stands where a secret was, with what it looked like. */
function mark(what: string): string {
  return `[redacted ${what}]`;
}

/** Words that name a secret, as parts of names in any spelling: apiKey, DB_PASSWORD, client-key-data. */
const SECRET_NAME =
  '(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|cookie|bearer|' +
  '(?:api|access|private|secret|signing|encryption|certificate|client|shared|ssh|account|session|auth)[-_. ]?keys?(?:[-_]?data)?|' +
  'authorization|jwt|psk|key[-_]?data|dockerconfig(?:json)?)';
/** Bounded, and tried at the begin of a word only: a long text without any secret must not take long. */
const WORD = `[\\w.-]{0,100}?${SECRET_NAME}[\\w.-]{0,100}`;
const NAME = `(?<![\\w.-])${WORD}`;
/** Names of fields that hold a secret; what only tells about one (secretName, tokenExpiresAt) does not. */
const SECRET_FIELD = new RegExp(`^${WORD}$`, 'i');
const ABOUT_A_SECRET =
  /(?:name|names|id|ref|path|file|kind|type|count|expires?(?:at)?|mode|size(?:bytes)?|usages?|policy|present)$/i;

type Rule = readonly [pattern: RegExp, put: string | ((...found: string[]) => string)];

/**
 * What is a secret by its look alone, wherever it stands. Whole blocks come first: what is left of a block that was cut in
 * the middle is caught by the rule for long runs of base64.
 */
const LOOKS: readonly Rule[] = [
  [
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
    mark('private key'),
  ],
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/g, mark('private key')],
  [/\bAGE-(?:SECRET-KEY|PLUGIN)[-A-Z0-9]*1[A-Z0-9]+/gi, mark('age key')],
  // A JSON web token; its last part may be cut off.
  [/\beyJ[\w-]{8,}\.[\w-]*(?:\.[\w-]*)?/g, mark('token')],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|npm_|dckr_pat_|hvs\.)[\w-]{10,}/g, mark('token')],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, mark('access key')],
  // Bootstrap tokens of Kubernetes.
  [/(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])/g, mark('token')],
  // scheme://user:password@host
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]*:[^\s/"'<>]*@/gi, (_all, scheme) => `${scheme}${mark('login')}@`],
];

const QUOTED = '"(?:[^"\\\\]|\\\\.)*"?|\'[^\']*\'?';
const BARE = '[^\\s"\',;&}\\]]+';

/** What is a secret by the name before it. */
const NAMED: readonly Rule[] = [
  // Authorization: Bearer xyz, and the scheme alone.
  [
    /\b((?:proxy-)?authorization["']?\s*[:=](?!\s*["']?\[redacted)\s*["']?)(?:(?:bearer|basic|digest|negotiate|token)\s+)?[^\s"',;]+/gi,
    (_all, name) => `${name}${mark('login')}`,
  ],
  [/\b(bearer|basic)\s+(?!\[redacted)[\w.~+/=-]{6,}/gi, (_all, scheme) => `${scheme} ${mark('login')}`],
  [
    /\b((?:set-)?cookie["']?\s*[:=](?!\s*\[redacted)\s*)[^\r\n"]+/gi,
    (_all, name) => `${name}${mark('cookie')}`,
  ],
  // name: value, name=value, "name": "value", also where the quotes are escaped once more.
  [
    new RegExp(`(${NAME}\\\\*["']?\\s*[:=]\\s*)(\\\\+"(?:(?!\\\\+").)*\\\\+"|${QUOTED}|${BARE})`, 'gi'),
    (all, name, value) => (isHarmless(name ?? '', value ?? '') ? (all ?? '') : `${name}${mark('value')}`),
  ],
  // --name value
  [
    new RegExp(`(?<![\\w-])(--?${WORD}\\s+)(?!-)(${QUOTED}|${BARE})`, 'gi'),
    (all, name, value) => (isHarmless(name ?? '', value ?? '') ? (all ?? '') : `${name}${mark('value')}`),
  ],
];

/** Keys without a name: base64 of 32 bytes and more; and 64 hexadecimal digits that are not said to be a digest. */
const RUNS: readonly Rule[] = [
  [
    /(?<![\w+/=-])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])(?=[\w+/-]*\d)[A-Za-z0-9+/_-]{40,}={0,2}(?![\w+/=-])/g,
    mark('base64'),
  ],
  [/(?<!sha256[:-]|[0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi, mark('key or digest')],
];

/** A number, a truth or nothing is no secret; nor is what a name that only tells about a secret stands for. */
function isHarmless(name: string, value: string): boolean {
  const bare = value.replaceAll(/[\\"']/g, '');
  if (/^(?:true|false|null|none|nil|<none>|<nil>|)$/i.test(bare) || bare.startsWith('[redacted')) return true;
  const word = name.replace(/[\s\\"':=]+$/g, '').replace(/^-+/, '');
  return ABOUT_A_SECRET.test(word) && !/(?:pass|pwd)/i.test(word);
}

export interface RedactOptions {
  /** Whether 64 hexadecimal digits stay: for answers of the API, where digests are, and keys are not. */
  readonly keepDigests?: boolean;
}

/**
 * redactText takes out of free text what is a secret, by its look or by the name before it. It rather takes too much: a
 * digest without its name goes as well. What it has redacted it leaves alone.
 */
export function redactText(text: string, { keepDigests = false }: RedactOptions = {}): string {
  let clean = text;
  for (const [pattern, put] of [...LOOKS, ...NAMED, ...(keepDigests ? RUNS.slice(0, 1) : RUNS)])
    clean = typeof put === 'string' ? clean.replace(pattern, put) : clean.replace(pattern, put);
  return clean;
}

/** redactData does the same to plain data: values of fields whose name says so go whole, all other texts as redactText does. */
export function redactData(value: unknown, options: RedactOptions = { keepDigests: true }): unknown {
  if (typeof value === 'string') return redactText(value, options);
  if (Array.isArray(value)) return value.map((each) => redactData(each, options));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, redactField(name, inner, options)]),
  );
}

function redactField(name: string, value: unknown, options: RedactOptions): unknown {
  const secret = SECRET_FIELD.test(name) && !ABOUT_A_SECRET.test(name);
  if (secret && typeof value === 'string' && value !== '') return mark('value');
  return redactData(value, options);
}
