import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keepIndex } from '@plinth/debian';
import { hashText, ioError, isErrno, withLock, writeFileAtomic } from '@plinth/host';
import { type Certificate, type Signer, signDsse } from '@plinth/trust';
import { readSubject, releaseArchitecture } from '../inventory/index.ts';
import type { AdvisoryRecord, Finding, Inventory, RecordProduct, ScanReport } from '../model/index.ts';
import { type AdvisoryPolicy, type Decision, decide } from '../policy/index.ts';
import { formatRecord, parseRecord } from '../publish/record/read-record.ts';
import { type ScanOptions, scanInventory } from '../scan/scan.ts';
import type { AdvisoryStore } from '../store/index.ts';
import { draftRecord } from './draft-record.ts';
import { storeInventory } from './inventory-files.ts';
import { appendLedger, type LedgerEvent, newEvents, readLedger } from './ledger.ts';
import { indexesOf, proofsFolder } from './proofs.ts';

export interface WatchOptions extends Omit<ScanOptions, 'storePath' | 'all'> {
  readonly store: AdvisoryStore;
  /** Where reports, drafts and the ledger are kept. */
  readonly folder: string;
  readonly policy: AdvisoryPolicy;
  /** Signs each result, an empty one too, and each line of the ledger. */
  readonly signer: Signer;
  /** Whose lines of the ledger are believed: the signer's own key, and those before it. */
  readonly trusted: readonly Certificate[];
  /** Where downloaded indexes are; default: the usual cache. */
  readonly indexCache?: string;
}

/** What one run found in one subject. */
export interface WatchResult {
  readonly subject: string;
  readonly report: ScanReport;
  readonly decisions: readonly Decision[];
  /** Verdicts that changed since the run before. */
  readonly changes: number;
  /** Records of advisories that were made or changed. */
  readonly drafts: readonly string[];
  /** Lines of the ledger that were not believed, and proofs that could not be kept. */
  readonly problems: readonly string[];
}

/** What a signed result says it is. */
export const SCAN_PAYLOAD_TYPE = 'application/vnd.plinth.scan+json';

/**
 * watch judges subjects anew: writes a signed report of each, notes in the ledger what changed, decides by the policy,
 * and brings the drafts of advisories up to date. A run in which nothing changed leaves a signed report too. It may be
 * killed at any moment and run again; two runs on one folder go one after the other.
 * @throws advisory/…, host/io, host/disk-full, trust/signing-failed, cli/interrupted
 */
export async function watch(paths: readonly string[], options: WatchOptions): Promise<WatchResult[]> {
  const { folder, signal } = options;
  await mkdir(folder, { recursive: true }).catch((reason: unknown) => {
    throw ioError(reason, `make ${folder}`);
  });
  return await withLock(join(folder, '.lock'), `watch into ${folder}`, () => watchAll(paths, options), {
    signal,
  });
}

async function watchAll(paths: readonly string[], options: WatchOptions): Promise<WatchResult[]> {
  const drafts = join(options.folder, 'drafts');
  const records = await readRecords(drafts);
  const results: WatchResult[] = [];
  for (const path of paths) {
    const inventory = await readSubject(path);
    const now = options.now ?? new Date();
    const report = await scanInventory(inventory, options.store, { ...options, now, all: true });
    const decisions = report.findings.map((finding) => decide(finding, options.policy, now));
    const subject = subjectName(inventory);
    const byId = new Map(decisions.map((decision) => [decision.id, decision]));
    const ledger = await readLedger(options.folder, options.trusted);
    const events = newEvents(ledger.values, subject, report, byId);
    const changed = isPublished(inventory) ? updateDrafts(records, inventory, report, byId, now) : [];
    for (const record of changed) await writeDraft(drafts, record);
    await storeInventory(join(options.folder, 'inventories'), subject, inventory);
    const unkept = await keepProofs(events, options);
    // After what it tells of: what is not in the ledger is found again by the next run. The report comes last and names its end.
    const { targetsHours } = options.policy;
    const line = { format: 1, at: report.judgedAt, subject, targetsHours, events } as const;
    await appendLedger(options.folder, line, options.signer);
    await writeReport(options, subject, report, decisions);
    results.push({
      ...{ subject, report, decisions, changes: events.length, drafts: changed.map(({ id }) => id) },
      problems: [...ledger.problems, ...unkept],
    });
  }
  return results;
}

/** Keeps the signed indexes that clocks start with; names those that are in no cache any more. */
async function keepProofs(
  events: readonly LedgerEvent[],
  { folder, indexCache, keyring }: WatchOptions,
): Promise<string[]> {
  const unkept: string[] = [];
  for (const index of indexesOf(events)) {
    const from = {
      ...(indexCache === undefined ? {} : { cacheRoot: indexCache }),
      ...(keyring === undefined ? {} : { keyring }),
    };
    if (!(await keepIndex(index, proofsFolder(folder), from)))
      unkept.push(
        `the index of ${index.suite} of ${index.date} is not in the cache any more: it could not be kept as proof`,
      );
  }
  return unkept;
}

/** Brings records up to date, and makes new ones; gives those that changed. */
function updateDrafts(
  records: Map<string, AdvisoryRecord>,
  inventory: Inventory,
  report: ScanReport,
  decisions: ReadonlyMap<string, Decision>,
  now: Date,
): AdvisoryRecord[] {
  const product = productOf(inventory);
  const changed: AdvisoryRecord[] = [];
  const year = `PLSA-${now.getUTCFullYear()}-`;
  const numbers = [...records.values()].flatMap(({ id }) =>
    id.startsWith(year) ? Number(id.slice(year.length)) : [],
  );
  let number = Math.max(0, ...new Set(numbers));
  for (const finding of report.findings) {
    const { id, aliases } = finding.vulnerability;
    const before = [id, ...aliases].flatMap((name) => records.get(name) ?? [])[0];
    const decision = decisions.get(id);
    if (!decision || (!before && !isWorthTelling(finding))) continue;
    const next = `${year}${String(number + 1).padStart(4, '0')}`;
    const { codename } = inventory.subject;
    const record = draftRecord(before, { id: next, product, codename, finding, decision, now });
    if (record === before) continue;
    if (!before) number++;
    for (const name of [id, ...aliases]) records.set(name, record);
    changed.push(record);
  }
  return changed;
}

/**
 * What is open, and what other scanners would call open although the image itself proves otherwise: that is what VEX is
 * for. What is fixed or not affected by a feed's word alone never concerned anybody.
 */
function isWorthTelling({ verdict, evidence }: Finding): boolean {
  return verdict === 'open' || (verdict === 'not-affected' && evidence[0]?.outcome?.holds === 'yes');
}

/** What cannot be read back is not written: the next run would stumble over it. */
async function writeDraft(folder: string, record: AdvisoryRecord): Promise<void> {
  const text = formatRecord(record);
  parseRecord(Buffer.from(text), record.id);
  await writeFileAtomic(join(folder, `${record.id}.json`), text);
}

async function readRecords(folder: string): Promise<Map<string, AdvisoryRecord>> {
  const names = await readdir(folder).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list ${folder}`);
  });
  const records = new Map<string, AdvisoryRecord>();
  for (const name of names.filter((each) => /^PLSA-\d{4}-\d{4,9}\.json$/.test(each)).sort()) {
    const record = parseRecord(await readFile(join(folder, name)), name);
    const { id, aliases } = record.vulnerability;
    for (const each of [id, ...aliases]) records.set(each, record);
  }
  return records;
}

/** The report for people and programs, and beside it the signed statement that it was made, with its digest. */
async function writeReport(
  { folder, signer, trusted }: WatchOptions,
  subject: string,
  report: ScanReport,
  decisions: readonly Decision[],
): Promise<void> {
  const path = join(folder, 'reports', `${subject}.json`);
  const text = `${JSON.stringify({ ...report, decisions }, undefined, 1)}\n`;
  await writeFileAtomic(path, text);
  const statement = {
    ...{ format: 1, subject, judgedAt: report.judgedAt, counts: report.counts, complete: report.complete },
    reportSha256: hashText(text),
    // Whoever has this can tell that lines were cut off from the end of the ledger later.
    ledgerEnd: (await readLedger(folder, trusted)).digests.at(-1) ?? '',
    feeds: report.feeds.map(({ name, condition, date, sha256 }) => ({ name, condition, date, sha256 })),
    breached: decisions.filter(({ clock }) => clock?.state === 'breached').map(({ id }) => id),
  };
  const envelope = await signDsse(
    signer,
    SCAN_PAYLOAD_TYPE,
    new TextEncoder().encode(JSON.stringify(statement)),
  );
  await writeFileAtomic(`${path}.dsse`, `${JSON.stringify(envelope)}\n`);
}

function productOf({ subject, inputs }: Inventory): RecordProduct {
  const digest = inputs.find(({ source }) => source === 'manifest')?.sha256;
  return {
    id: subjectName({ subject }),
    name: subject.name,
    version: subject.version ?? '0',
    architecture: releaseArchitecture(subject.architecture),
    ...(subject.created === undefined ? {} : { released: subject.created }),
    ...(digest === undefined ? {} : { digest }),
    ...(subject.rootHash === undefined ? {} : { rootHash: subject.rootHash }),
  };
}

/** "plinth_0.1.1_x86-64"; what is not published goes by its kind and the digest of its place. */
function subjectName({ subject }: Pick<Inventory, 'subject'>): string {
  if (!isPublished({ subject })) return `${subject.kind}_${hashText(subject.name).slice(0, 16)}`;
  return `${subject.name.toLowerCase()}_${subject.version ?? '0'}_${releaseArchitecture(subject.architecture)}`;
}

/** Whether it has a name under which it is given to others. */
function isPublished({ subject: { kind } }: Pick<Inventory, 'subject'>): boolean {
  return kind === 'release' || kind === 'layer';
}

/** countClocks tells how many clocks are in which state. */
export function countClocks(
  decisions: readonly Decision[],
): Readonly<Record<'running' | 'due-soon' | 'breached', number>> {
  const counts = { running: 0, 'due-soon': 0, breached: 0 };
  for (const { clock } of decisions) if (clock) counts[clock.state]++;
  return counts;
}
