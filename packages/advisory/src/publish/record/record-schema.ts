import { z } from 'zod';
import { ID_LIMIT_CHARACTERS, schemeOf, verdicts, vexJustifications } from '../../model/index.ts';
import { PRODUCT_ID } from './product-id.ts';

const LIST_LIMIT = 10_000;
// Control characters other than line ends and tabs cannot be written in XML at all; half surrogates in no format.
const TEXT = /^[\t\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const LINE = /^(?=.*\S)[\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]+$/u;
/** One word: names and versions of packages, as all package managers here write them. */
const WORD = /^[\x21-\x7e]{1,300}$/;

const text = z.string().max(65_536).regex(TEXT, 'it has control characters, expected text');
const line = z.string().max(2048).regex(LINE, 'it is no single line of text');
const word = z.string().regex(WORD, 'it is no word of printable ASCII');
/** Versions as Debian, Go and npm write them. */
const version = z.string().regex(/^(?:[A-Za-z0-9][A-Za-z0-9.+:~^_-]{0,199}|\(devel\))$/, 'it is no version');
const date = z.iso.datetime({ message: 'it is no instant in UTC, expected "2026-11-21T06:00:00Z"' });
const url = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[\x21-\x7e]+$/, 'it is no http(s) address');
const id = z
  .string()
  .max(ID_LIMIT_CHARACTERS)
  .refine((value) => schemeOf(value) !== undefined, 'it is no identifier of a vulnerability');
const purl = z
  .string()
  .max(1024)
  .regex(/^pkg:[a-z][a-z0-9+.-]*\/[\x21-\x7e]+@[\x21-\x7e]+$/, 'it is no package URL with a version');
const productId = z.string().regex(PRODUCT_ID, 'it is no product id, expected "plinth_0.1.1_x86-64"');
const feed = z
  .string()
  .max(100)
  .regex(/^[a-z0-9:+./~-]+$/i);
const list = <T>(item: z.ZodType<T>, most = LIST_LIMIT) => z.array(item).max(most);

const predicate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('path-absent'), paths: list(line) }),
  z.strictObject({ kind: z.literal('package-absent'), packages: list(word) }),
  z.strictObject({ kind: z.literal('config-off'), symbols: list(word) }),
  z.strictObject({ kind: z.literal('module-absent'), modules: list(word) }),
  z.strictObject({ kind: z.literal('module-denied'), modules: list(word) }),
  z.strictObject({ kind: z.literal('other-architecture'), affected: list(word) }),
  z.strictObject({ kind: z.literal('symbol-not-imported'), library: line, symbols: list(word) }),
  z.strictObject({ kind: z.literal('go-symbol-absent'), paths: list(line), symbols: list(line) }),
  z.strictObject({ kind: z.literal('human'), author: line, reason: text, expiresAt: date }),
]);

const evidence = z.strictObject({
  kind: z.enum([
    ...([
      'version',
      'index',
      'changelog',
      'tracker',
      'osv',
      'nvd',
      'kernel-cna',
      'csaf',
      'built-using',
    ] as const),
    ...(['go-module', 'go-toolchain', 'npm-module', 'kernel-config', 'kernel-module', 'file'] as const),
    ...(['elf-symbol', 'architecture', 'human'] as const),
  ]),
  speaksFor: z.enum([...verdicts, 'mentions']),
  statement: text,
  source: feed,
  locator: text.exactOptional(),
  confidence: z.enum(['proven', 'stated', 'derived']),
  at: date.exactOptional(),
  offer: z.strictObject({ source: word, version, indexSha256: line }).exactOptional(),
  predicate: predicate.exactOptional(),
  outcome: z.strictObject({ holds: z.enum(['yes', 'no', 'unknown']), detail: text }).exactOptional(),
});

const component = z.strictObject({
  ecosystem: z.enum(['debian', 'go', 'npm']),
  name: word,
  version,
  purl,
  binaries: list(word),
  files: list(line),
  firstAffected: version.exactOptional(),
  fixVersion: version.exactOptional(),
});

const product = z.strictObject({
  id: productId,
  name: line,
  version,
  architecture: word,
  released: date.exactOptional(),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
  rootHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
});

const status = z.strictObject({
  product: productId,
  verdict: z.enum(verdicts),
  reason: text,
  justification: z.enum(vexJustifications).exactOptional(),
  components: list(component),
  fixedInProduct: productId.exactOptional(),
  evidence: list(evidence, 1000),
  decidedAt: date,
});

const remediation = z.strictObject({
  kind: z.enum(['fix', 'mitigation', 'workaround', 'none-available', 'no-fix-planned']),
  text,
  products: list(productId),
  restart: z.enum(['none', 'service', 'machine']),
  url: url.exactOptional(),
  date: date.exactOptional(),
});

const severity = z.strictObject({
  source: line,
  level: z.enum(['critical', 'high', 'medium', 'low', 'none', 'unknown']),
  score: z.number().min(0).max(10).exactOptional(),
  vector: z
    .string()
    .max(300)
    .regex(/^[\x21-\x7e]+$/)
    .exactOptional(),
});

const clock = date.exactOptional();

/** The form of a record, field by field. That its parts agree with each other is checked by `recordProblem`. */
export const recordSchema = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(/^PLSA-\d{4}-\d{4,9}$/, 'it is no advisory id, expected "PLSA-2026-0001"'),
  vulnerability: z.strictObject({
    id,
    aliases: list(id, 1000),
    state: z.enum(['active', 'disputed', 'rejected', 'withdrawn']),
  }),
  title: line,
  description: text,
  weaknesses: list(z.strictObject({ id: z.string().regex(/^CWE-[1-9]\d{0,5}$/), name: line }), 50),
  severities: list(severity, 50),
  stance: z
    .enum([
      ...(['open', 'resolved', 'never-affected', 'undetermined', 'end-of-life'] as const),
      ...(['ignored', 'postponed', 'no-dsa', 'unimportant'] as const),
    ])
    .exactOptional(),
  knownExploited: z
    .strictObject({
      addedAt: z.string().max(40),
      dueAt: z.string().max(40).exactOptional(),
      ransomware: z.boolean(),
    })
    .exactOptional(),
  prediction: z
    .strictObject({
      probability: z.number().min(0).max(1),
      percentile: z.number().min(0).max(1),
      at: z.string().max(40),
    })
    .exactOptional(),
  products: list(product).min(1),
  statuses: list(status).min(1),
  remediations: list(remediation, 1000),
  references: list(z.strictObject({ url, summary: line, kind: z.enum(['self', 'external']) }), 1000),
  clocks: z.strictObject({
    disclosedAt: clock,
    seenAt: clock,
    fixMadeAt: clock,
    fixAvailableAt: clock,
    builtAt: clock,
    validatedAt: clock,
    releasedAt: clock,
  }),
  state: z.enum(['draft', 'interim', 'final']),
  publishedAt: date,
  modifiedAt: date,
  revisions: list(z.strictObject({ number: z.int().min(1), date, summary: line }), 10_000).min(1),
  withdrawn: z.strictObject({ at: date, reason: line }).exactOptional(),
});
