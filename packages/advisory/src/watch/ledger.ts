import { join } from 'node:path';
import type { Certificate, Signer } from '@plinth/trust';
import { z } from 'zod';
import { type Finding, type ScanReport, type Verdict, verdicts } from '../model/index.ts';
import type { Decision } from '../policy/index.ts';
import { appendSignedLine, readSignedLines, type SignedLines } from '../signed-lines/signed-lines.ts';

const PAYLOAD_TYPE = 'application/vnd.plinth.ledger+json';
const text = z.string().max(400);
const verdict = z.enum(verdicts);

const event = z.object({
  id: text,
  verdict,
  /** Absent for the first event of an identifier in a subject. */
  before: verdict.optional(),
  /** Date of the first signed index seen that offers the fix, by which anybody can recompute the clock. */
  fixAvailableAt: text.optional(),
  /** That index: its suite, the digest of its InRelease, and what it offers. Absent where a feed told the date. */
  index: z.object({ suite: text, sha256: text, source: text, version: text }).optional(),
  /** Which target counts, when its clock started, and when it runs out. */
  target: text.optional(),
  startedAt: text.optional(),
  dueAt: text.optional(),
  action: text.optional(),
});

const schema = z.object({
  format: z.literal(1),
  /** When the watch saw it, ISO 8601. */
  at: z.iso.datetime(),
  /** "plinth_0.1.1_x86-64". */
  subject: text,
  /** The targets of the policy then, in hours. */
  targetsHours: z.record(text, z.number()),
  events: z.array(event).max(1_000_000),
});

/** One change of a verdict. */
export type LedgerEvent = z.infer<typeof event>;
/** What one run saw change in one subject. The ledger is a list of these, signed and chained, and is only ever added to. */
export type LedgerLine = z.infer<typeof schema>;

/** ledgerPath is where a folder of the watch has its ledger. */
export function ledgerPath(folder: string): string {
  return join(folder, 'ledger.jsonl');
}

/** readLedger reads the lines that a trusted key signed; one that a crash cut off is passed over. @throws advisory/subject-invalid, host/io */
export async function readLedger(
  folder: string,
  trusted: readonly Certificate[],
): Promise<SignedLines<LedgerLine>> {
  return await readSignedLines(ledgerPath(folder), PAYLOAD_TYPE, schema, trusted);
}

/** newEvents gives what changed since the last event of each identifier in the subject; pure. */
export function newEvents(
  ledger: readonly LedgerLine[],
  subject: string,
  { findings }: Pick<ScanReport, 'findings'>,
  decisions: ReadonlyMap<string, Decision>,
): LedgerEvent[] {
  const last = new Map<string, Verdict>();
  for (const line of ledger)
    if (line.subject === subject) for (const { id, verdict: then } of line.events) last.set(id, then);
  return findings.flatMap((finding): LedgerEvent[] => {
    const { vulnerability, verdict: now, clocks } = finding;
    const { id } = vulnerability;
    const before = last.get(id);
    // What never was open or unknown here has no story.
    if (before === now || (before === undefined && (now === 'fixed' || now === 'not-affected'))) return [];
    const decision = decisions.get(id);
    const index = indexOf(finding);
    return [
      {
        ...{ id, verdict: now },
        ...(before === undefined ? {} : { before }),
        ...(clocks.fixAvailableAt === undefined ? {} : { fixAvailableAt: clocks.fixAvailableAt }),
        ...(index ? { index } : {}),
        ...(decision?.clock ? { startedAt: decision.clock.startedAt, dueAt: decision.clock.dueAt } : {}),
        ...(decision?.clock && decision.target ? { target: decision.target } : {}),
        ...(decision && decision.action !== 'none' ? { action: decision.action } : {}),
      },
    ];
  });
}

/** The index that the clock of a finding starts with. */
function indexOf({ evidence, clocks }: Finding): LedgerEvent['index'] {
  for (const { kind, at, offer, source } of evidence) {
    if (kind !== 'index' || offer === undefined || at === undefined || at !== clocks.fixAvailableAt) continue;
    const { source: name, version, indexSha256 } = offer;
    return { suite: source.replace(/^debian-index:/, ''), sha256: indexSha256, source: name, version };
  }
  return undefined;
}

/** appendLedger adds what one run saw change in one subject. @throws trust/signing-failed, host/io, host/disk-full */
export async function appendLedger(folder: string, line: LedgerLine, signer: Signer): Promise<void> {
  if (line.events.length > 0) await appendSignedLine(ledgerPath(folder), PAYLOAD_TYPE, line, signer);
}
