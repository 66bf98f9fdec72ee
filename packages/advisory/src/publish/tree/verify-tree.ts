import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '@plinth/base';
import { mapParallel } from '@plinth/host';
import { type Certificate, readOpenPgpKey, verifyOpenPgp } from '@plinth/trust';
import type { AdvisoryRecord } from '../../model/index.ts';
import { csafEntries, keyPath, readProviderMetadata, readRolie } from '../csaf/provider.ts';
import { CSAF_FOLDER } from '../record/publisher.ts';
import { parseRecord } from '../record/read-record.ts';
import { formatChecks } from './check-formats.ts';
import {
  listFiles,
  type OpenTree,
  openTree,
  type ReadFile,
  readListedFile,
  treeInvalid,
  verifyManifest,
} from './open-tree.ts';
import { MANIFEST_FILE, RECORDS_FOLDER } from './tree-path.ts';

const READERS = 8;
const CACHE_LIMIT_BYTES = 256 * 1024 * 1024;

/** One link of the chain. "unknown": it could not be judged, which is not as good as "pass". */
export interface TreeCheck {
  readonly subject: string;
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly detail: string;
}

export interface TreeReport {
  readonly verdict: TreeCheck['verdict'];
  /** In the order of the chain: what a later one says counts only while the ones before it pass. */
  readonly checks: readonly TreeCheck[];
  readonly firstBroken?: TreeCheck;
}

export interface VerifyTreeOptions {
  /** Certificates of the release key; absent: nobody is trusted, and the signature stays unknown. */
  readonly trusted?: readonly Certificate[];
  readonly now?: Date;
}

/**
 * verifyTree checks a tree of advisories without any network: who signed it, whether it is fresh, every byte, every signature, the lists of
 * CSAF, and that every format says the same.
 * @throws advisory/tree-invalid when there is nothing to check, host/io
 */
export async function verifyTree(treeDir: string, options: VerifyTreeOptions = {}): Promise<TreeReport> {
  const tree = await openTree(treeDir);
  if (!tree) throw treeInvalid(treeDir, 'it holds no advisories, and nothing of a watch', 'one of both');
  const read = cachedReader(tree);
  const checks = [signatureCheck(tree, options), freshnessCheck(tree, options.now ?? new Date())];
  checks.push(await check('files', () => checkFiles(tree, read)));
  let records: readonly AdvisoryRecord[] = [];
  checks.push(
    await check('records', async () => {
      records = await readRecords(tree, read);
      return `${records.length} records agree with themselves`;
    }),
  );
  checks.push(await check('CSAF provider', () => checkLists(tree, records, read)));
  checks.push(await check('CSAF signatures', () => checkSignatures(records, read)));
  for (const [subject, work] of formatChecks(records, read)) checks.push(await check(subject, work));
  const firstBroken =
    checks.find(({ verdict }) => verdict === 'fail') ?? checks.find(({ verdict }) => verdict !== 'pass');
  return { verdict: firstBroken?.verdict ?? 'pass', checks, ...(firstBroken && { firstBroken }) };
}

/** Every file is read once and hashed once; of a tree that is too large for memory, once for each check that needs it. */
function cachedReader(tree: OpenTree): ReadFile {
  const sizeBytes = Object.values(tree.manifest.files).reduce((sum, file) => sum + file.sizeBytes, 0);
  const cache = new Map<string, Uint8Array>();
  return async (path) => {
    const bytes = cache.get(path) ?? (await readListedFile(tree, path));
    if (!bytes) throw new Error(`${path} is missing, or not what was signed`);
    if (sizeBytes <= CACHE_LIMIT_BYTES) cache.set(path, bytes);
    return bytes;
  };
}

async function check(subject: string, work: () => Promise<string>): Promise<TreeCheck> {
  try {
    return { subject, verdict: 'pass', detail: await work() };
  } catch (reason) {
    return { subject, verdict: 'fail', detail: messageOf(reason) };
  }
}

function signatureCheck(tree: OpenTree, { trusted }: VerifyTreeOptions): TreeCheck {
  const subject = 'signature';
  if (!trusted || trusted.length === 0)
    return { subject, verdict: 'unknown', detail: 'nobody is trusted: name certificates with --trust' };
  const found = verifyManifest(tree, trusted);
  return found.verdict === 'pass'
    ? {
        subject,
        verdict: 'pass',
        detail: `${MANIFEST_FILE} is signed by ${found.subject.replaceAll('\n', ', ')}`,
      }
    : { subject, verdict: found.verdict, detail: `${MANIFEST_FILE}: ${found.reason}` };
}

function freshnessCheck({ manifest }: OpenTree, now: Date): TreeCheck {
  const { sequence, publishedAt, validUntil } = manifest;
  const subject = 'freshness';
  const about = `publication ${sequence} of ${publishedAt}`;
  if (Date.parse(validUntil) < now.getTime())
    return {
      subject,
      verdict: 'fail',
      detail: `${about} counted until ${validUntil}; the publisher is silent since`,
    };
  return { subject, verdict: 'pass', detail: `${about} counts until ${validUntil}` };
}

async function checkFiles(tree: OpenTree, read: ReadFile): Promise<string> {
  const listed = Object.keys(tree.manifest.files);
  const problems = await mapParallel(listed, READERS, (path) =>
    read(path).then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  // The first by its name, whichever was found first.
  const first = problems.find((reason) => reason !== undefined);
  if (first !== undefined) throw first;
  const known = new Set(listed);
  const strange = (await listFiles(tree.folder)).find((path) => !known.has(path));
  if (strange !== undefined) throw new Error(`${strange} is there and was not published`);
  return `${listed.length} files are what was signed`;
}

async function readRecords(tree: OpenTree, read: ReadFile): Promise<readonly AdvisoryRecord[]> {
  const records: AdvisoryRecord[] = [];
  for (const path of Object.keys(tree.manifest.files)) {
    if (!path.startsWith(`${RECORDS_FOLDER}/`)) continue;
    const record = parseRecord(await read(path), path);
    if (path !== `${RECORDS_FOLDER}/${record.id}.json`) throw new Error(`${path} is record ${record.id}`);
    if (record.state === 'draft') throw new Error(`${path} is a draft`);
    records.push(record);
  }
  return records;
}

/** Metadata, index, changes and feed name exactly the documents there are. */
async function checkLists(
  tree: OpenTree,
  records: readonly AdvisoryRecord[],
  read: ReadFile,
): Promise<string> {
  const csaf = (path: string) => `${CSAF_FOLDER}/${path}`;
  const metadata = csaf('provider-metadata.json');
  const { publisher, fingerprints } = readProviderMetadata(await read(metadata), metadata);
  for (const fingerprint of fingerprints) {
    const path = csaf(keyPath(fingerprint));
    const key = await readOpenPgpKey(Buffer.from(await read(path)).toString('utf8'), path);
    if (key.fingerprint !== fingerprint) throw new Error(`${path} is key ${key.fingerprint}`);
  }
  const entries = csafEntries(records);
  const text = async (path: string) => Buffer.from(await read(csaf(path))).toString('utf8');
  const expected: readonly (readonly [string, unknown, unknown])[] = [
    ['white/index.txt', await text('white/index.txt'), entries.map(({ path }) => `${path}\n`).join('')],
    [
      'white/changes.csv',
      await text('white/changes.csv'),
      entries.map(({ path, record }) => `"${path}","${record.modifiedAt}"\n`).join(''),
    ],
    [
      'white/csaf-feed-tlp-white.json',
      readRolie(await read(csaf('white/csaf-feed-tlp-white.json')), 'csaf-feed-tlp-white.json'),
      entries.map(({ path, record }) => {
        return { src: `${publisher.url}/${csaf('white')}/${path}`, updated: record.modifiedAt };
      }),
    ],
  ];
  const wrong = expected.find(([, found, wanted]) => !isDeepStrictEqual(found, wanted));
  if (wrong) throw new Error(`${csaf(wrong[0])} names other documents than there are`);
  const listed = new Set(entries.map(({ path }) => csaf(`white/${path}`)));
  const stray = Object.keys(tree.manifest.files).find(
    (path) => /\/white\/\d{4}\/[^/]+\.json$/.test(path) && !listed.has(path),
  );
  if (stray !== undefined) throw new Error(`${stray} belongs to no record`);
  return `documents listed: ${entries.length}, keys: ${fingerprints.length}`;
}

async function checkSignatures(records: readonly AdvisoryRecord[], read: ReadFile): Promise<string> {
  const metadata = `${CSAF_FOLDER}/provider-metadata.json`;
  const { fingerprints } = readProviderMetadata(await read(metadata), metadata);
  const keys: string[] = [];
  for (const fingerprint of fingerprints)
    keys.push(Buffer.from(await read(`${CSAF_FOLDER}/${keyPath(fingerprint)}`)).toString('utf8'));
  const entries = csafEntries(records);
  for (const { path } of entries) {
    const full = `${CSAF_FOLDER}/white/${path}`;
    const bytes = await read(full);
    for (const algorithm of ['sha256', 'sha512']) {
      const line = Buffer.from(await read(`${full}.${algorithm}`)).toString('utf8');
      const hash = createHash(algorithm).update(bytes).digest('hex');
      if (line !== `${hash}  ${path.slice(path.lastIndexOf('/') + 1)}\n`)
        throw new Error(`${full}.${algorithm} is the hash of something else`);
    }
    const signature = Buffer.from(await read(`${full}.asc`)).toString('utf8');
    const found = await verifyOpenPgp(bytes, signature, keys);
    if (found.verdict !== 'pass') throw new Error(`${full}.asc: ${found.reason}`);
  }
  return `${entries.length} documents have their hashes and are signed by a listed key`;
}
