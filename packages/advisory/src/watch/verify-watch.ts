import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@plinth/base';
import { type ArchiveIndex, type Keyring, readKeptIndex } from '@plinth/debian';
import { ioError, isErrno } from '@plinth/host';
import { type Certificate, parseDsse, verifyDsse } from '@plinth/trust';
import { z } from 'zod';
import { parseBoundedJson, readBounded } from '../documents/read-file.ts';
import { offersOf } from '../feeds/index-offers.ts';
import type { TreeCheck, TreeReport } from '../publish/tree/verify-tree.ts';
import { readObservations } from '../rollout/index.ts';
import type { SignedLines } from '../signed-lines/signed-lines.ts';
import { readWaivers } from '../waivers/index.ts';
import { type LedgerLine, readLedger } from './ledger.ts';
import { indexesOf, proofsFolder } from './proofs.ts';
import { SCAN_PAYLOAD_TYPE } from './watch.ts';

export interface VerifyWatchOptions {
  /** Certificates of the release key. */
  readonly trusted: readonly Certificate[];
  /** Keys of the archive; default: those in os/trust. */
  readonly keyring?: Keyring;
}

const statementSchema = z.object({
  subject: z.string().max(400),
  reportSha256: z.string().max(64),
  ledgerEnd: z.string().max(64),
});

/**
 * verifyWatch computes anew, without any network, what a folder of the watch says: each line of ledger, nodes and waivers is
 * signed and follows the one before, each report is the one that was signed and its ledger was not shortened since, each
 * clock starts with the date of a signed index of the archive that offers the fix, and runs for the hours of the policy.
 * @throws host/io
 */
export async function verifyWatch(
  folder: string,
  { trusted, keyring }: VerifyWatchOptions,
): Promise<TreeReport> {
  const ledger = await readLedger(folder, trusted);
  const events = ledger.values.flatMap((line) => line.events);
  const checks = [
    linesCheck('ledger', ledger, `${events.length} changes of verdicts`),
    linesCheck('nodes', await readObservations(folder, trusted), 'observations of nodes'),
    linesCheck('waivers', await readWaivers(folder, trusted), 'waivers'),
    await check('reports', () => checkReports(folder, trusted, ledger.digests)),
    ...(await indexChecks(folder, ledger.values, keyring)),
    await check('clocks', async () => checkClocks(ledger.values)),
  ];
  const firstBroken = checks.find(({ verdict }) => verdict !== 'pass');
  const verdict = checks.some((each) => each.verdict === 'fail') ? 'fail' : (firstBroken?.verdict ?? 'pass');
  return { verdict, checks, ...(firstBroken ? { firstBroken } : {}) };
}

function linesCheck(
  subject: string,
  { values, problems, digests }: SignedLines<unknown>,
  what: string,
): TreeCheck {
  if (problems.length > 0) return { subject, verdict: 'fail', detail: problems.join('; ') };
  const end = digests.at(-1);
  const found = `${values.length} signed ${values.length === 1 ? 'line' : 'lines, each following the one before'}: ${what}`;
  return {
    ...{ subject, verdict: 'pass' },
    detail: end === undefined ? 'nothing was ever written' : `${found}; the last is ${end.slice(0, 16)}…`,
  };
}

async function check(subject: string, work: () => Promise<string>): Promise<TreeCheck> {
  try {
    return { subject, verdict: 'pass', detail: await work() };
  } catch (reason) {
    return { subject, verdict: 'fail', detail: messageOf(reason) };
  }
}

async function checkReports(
  folder: string,
  trusted: readonly Certificate[],
  digests: readonly string[],
): Promise<string> {
  const reports = join(folder, 'reports');
  const names = await readdir(reports).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list ${reports}`);
  });
  const wanted = names.filter((name) => name.endsWith('.json')).sort();
  for (const name of wanted) {
    const envelope = parseDsse((await readBounded(join(reports, `${name}.dsse`))).text);
    if (
      !envelope ||
      envelope.payloadType !== SCAN_PAYLOAD_TYPE ||
      verifyDsse(envelope, trusted).verdict !== 'pass'
    )
      throw new Error(`${name} has no signature by a trusted release key`);
    const payload = Buffer.from(envelope.payload, 'base64').toString('utf8');
    const { reportSha256, ledgerEnd } = statementSchema.parse(parseBoundedJson(payload, `${name}.dsse`));
    if ((await readBounded(join(reports, name))).sha256 !== reportSha256)
      throw new Error(`${name} is not what was signed`);
    if (ledgerEnd !== '' && !digests.includes(ledgerEnd))
      throw new Error(
        `${name} was signed when the ledger had a line ${ledgerEnd.slice(0, 16)}…, which is gone`,
      );
  }
  return `${wanted.length} reports are what was signed, and no line of the ledger is gone since`;
}

/** One check for each signed index: the archive's signature, its date, and that it offers what the ledger says. */
async function indexChecks(
  folder: string,
  lines: readonly LedgerLine[],
  keyring: Keyring | undefined,
): Promise<TreeCheck[]> {
  const events = lines.flatMap((line) => line.events);
  const checks: TreeCheck[] = [];
  for (const name of indexesOf(events)) {
    const subject = `index ${name.suite} ${name.date.slice(0, 16)}`;
    const own = events.flatMap(({ index, id }) => (index?.sha256 === name.sha256 ? [{ ...index, id }] : []));
    let index: ArchiveIndex | undefined;
    try {
      index = await readKeptIndex(name, proofsFolder(folder), keyring);
    } catch (reason) {
      checks.push({ subject, verdict: 'fail', detail: messageOf(reason) });
      continue;
    }
    if (!index) {
      checks.push({ subject, verdict: 'unknown', detail: `it is not kept here; SHA-256 ${name.sha256}` });
      continue;
    }
    const offered = new Map(offersOf(index).map(({ source, version }) => [source, version]));
    const wrong = own.find(({ source, version }) => offered.get(source) !== version);
    checks.push(
      wrong
        ? {
            ...{ subject, verdict: 'fail' },
            detail: `it offers ${wrong.source} ${offered.get(wrong.source) ?? '(none)'}, the ledger says ${wrong.version} for ${wrong.id}`,
          }
        : {
            ...{ subject, verdict: 'pass' },
            detail: `signed by the archive, and offers the ${new Set(own.map(({ source }) => source)).size} sources that start ${own.length} clocks`,
          },
    );
  }
  return checks;
}

const HOUR_MS = 3_600_000;

/** Every clock that a fix started begins with its index, and each runs for as long as the policy says. */
function checkClocks(lines: readonly LedgerLine[]): string {
  let count = 0;
  for (const { events, targetsHours, subject } of lines)
    for (const { id, index, fixAvailableAt, startedAt, dueAt, target } of events) {
      if (startedAt === undefined || dueAt === undefined) continue;
      count++;
      const hours = target === undefined ? undefined : targetsHours[target];
      if (index && fixAvailableAt !== startedAt && target !== 'triage')
        throw new Error(
          `the clock of ${id} in ${subject} starts at ${startedAt}, its index is of ${fixAvailableAt}`,
        );
      if (hours !== undefined && Date.parse(dueAt) - Date.parse(startedAt) !== hours * HOUR_MS)
        throw new Error(`the clock of ${id} in ${subject} does not run for ${hours} hours`);
    }
  return `${count} clocks start with their index and run for the hours of the policy`;
}
