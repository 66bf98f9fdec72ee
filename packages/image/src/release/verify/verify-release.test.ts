import assert from 'node:assert/strict';
import {
  appendFile,
  cp,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { formatReference, parseReference } from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { cacheDir, hashFile, hashText } from '@plinth/host';
import { type Signer, signDetached, signDsse } from '@plinth/trust';
import { formatManifest, type Manifest, releaseNames, SUMS_FILE, SUMS_SIGNATURE_FILE } from '@plinth/updates';
import fc from 'fast-check';
import { readDiskLayout, type Slot } from '../disk/disk-layout.ts';
import { openFileReader } from '../disk/file-reader.ts';
import { PROVENANCE_PAYLOAD_TYPE } from '../provenance.ts';
import { readManifest } from '../read-release.ts';
import {
  makeSampleRelease,
  openWorkshop,
  type SampleChanges,
  type SampleWorkshop,
} from '../sample-release.testing.ts';
import { formatSums } from '../sums.ts';
import { checkTitles, type TrustAnchors, type VerifyReport } from './check.ts';
import { verifyDisk } from './verify-disk.ts';
import { verifyRelease } from './verify-release.ts';

const names = releaseNames('plinth', '1.2.3');
let workshop: SampleWorkshop;
let good = '';
let trusted: TrustAnchors;

before(async () => {
  workshop = await openWorkshop();
  trusted = { certificates: (role) => [workshop.keys[role].certificate] };
  good = await makeSampleRelease(workshop, { formats: ['raw.zst', 'qcow2'] });
});
after(() => workshop.close());

const verify = (folder: string) => verifyRelease(folder, { trusted, toolbox: workshop.toolbox });
const verdicts = ({ checks }: VerifyReport) => checks.map(({ id, verdict }) => `${verdict} ${id}`);
const all = Object.keys(checkTitles);

test('a good release passes every link, in order', async () => {
  const report = await verify(good);
  assert.deepEqual(
    verdicts(report),
    all.map((id) => `pass ${id}`),
  );
  assert.equal(report.verdict, 'pass');
});

test('without certificates and tools nothing fails and nothing passes that needs them', async () => {
  const report = await verifyRelease(good);
  assert.equal(report.verdict, 'unknown');
  const open = report.checks.filter(({ verdict }) => verdict === 'unknown').map(({ id }) => id);
  assert.deepEqual(open, [
    'sums-signature',
    'provenance',
    'root-hash-signature',
    'uki-signature',
    'pcr-signature',
    'boot-loader-signature',
    'sbom',
  ]);
  assert.ok(report.checks.every(({ verdict }) => verdict !== 'fail'));
});

/** A copy of the good release with one thing changed by hand. */
async function changed(change: (folder: string) => Promise<void>): Promise<VerifyReport> {
  const folder = await mkdtemp(join(workshop.folder, 'changed-'));
  await cp(good, folder, { recursive: true });
  await change(folder);
  const report = await verify(folder);
  await rm(folder, { recursive: true });
  return report;
}

/** A release that was built wrong from the start, so that everything written about it agrees. */
async function built(changes: SampleChanges): Promise<VerifyReport> {
  return verify(await makeSampleRelease(workshop, changes));
}

function assertBroken(report: VerifyReport, id: string): void {
  assert.equal(report.verdict, 'fail');
  assert.equal(report.firstBroken?.id, id, JSON.stringify(verdicts(report)));
  assert.deepEqual(
    report.checks.map((check) => check.id),
    all,
    'all links are judged',
  );
}

test('sums-signature: one more line, a foreign key, no signature', async () => {
  const line = `${hashText('x')}  x\n`;
  assertBroken(await changed((folder) => appendFile(join(folder, SUMS_FILE), line)), 'sums-signature');
  assertBroken(await changed((folder) => signAgain(folder, workshop.foreign.release)), 'sums-signature');
  assertBroken(await changed((folder) => rm(join(folder, SUMS_SIGNATURE_FILE))), 'sums-signature');
});

test('sums: a flipped bit, a missing file; the others are still judged', async () => {
  const flipped = await changed((folder) => flipBit(join(folder, names.disk('qcow2')), 1000));
  assertBroken(flipped, 'sums');
  assert.equal(flipped.checks.filter(({ verdict }) => verdict === 'pass').length, all.length - 1);
  assertBroken(await changed((folder) => rm(join(folder, names.facts))), 'sums');
});

test('manifest: it tells another digest, or cannot be read', async () => {
  const report = await changed(async (folder) => {
    await changeManifest(folder, (manifest) => ({
      ...manifest,
      artefacts: manifest.artefacts.map((artefact) => ({ ...artefact, sha256: hashText('other') })),
    }));
    await signAgain(folder, workshop.keys.release);
  });
  assertBroken(report, 'manifest');
  const unreadable = await changed(async (folder) => {
    await writeFile(join(folder, names.manifest), '{}\n');
    await signAgain(folder, workshop.keys.release);
  });
  assertBroken(unreadable, 'manifest');
});

test('provenance: signed by a foreign key, or silent about a file', async () => {
  const foreign = await changed((folder) =>
    signAgain(folder, workshop.keys.release, workshop.foreign.release),
  );
  assertBroken(foreign, 'provenance');
  const silent = await changed(async (folder) => {
    await writeFile(join(folder, 'extra'), 'x');
    const sums = `${await readFile(join(folder, SUMS_FILE), 'utf8')}${hashText('x')}  extra\n`;
    await writeFile(join(folder, SUMS_FILE), sums);
    const signature = await signDetached(workshop.keys.release, Buffer.from(sums));
    await writeFile(join(folder, SUMS_SIGNATURE_FILE), signature);
  });
  assertBroken(silent, 'provenance');
});

test('disk-table: a disk cut short, or not the one of the manifest', async () => {
  const cut = await changed(async (folder) => {
    const path = join(folder, names.disk('raw.zst'));
    await truncate(path, (await stat(path)).size - 1000);
    await agree(folder);
  });
  assertBroken(cut, 'disk-table');
  const other = await changed(async (folder) => {
    const disk = { uuid: '00000000-0000-4000-8000-000000000000', sizeBytes: 1 };
    await changeManifest(folder, (manifest) => ({ ...manifest, disk }));
    await agree(folder);
  });
  assertBroken(other, 'disk-table');
});

test('partitions: a split file with another content', async () => {
  const report = await changed(async (folder) => {
    const { partitions } = await readManifest(folder);
    const [root, verity] = partitions.flatMap(({ artefact }) => (artefact ? [artefact.name] : []));
    await cp(join(folder, verity ?? ''), join(folder, root ?? ''));
    await agree(folder);
  });
  assertBroken(report, 'partitions');
});

test('verity: one bit of the root, of the hash tree', async () => {
  const damage = (part: (slot: Slot) => Slot['root'], at: number) => ({
    damageDisk: async (path: string) => flipBit(path, part(await slotOf(path)).offsetBytes + at),
  });
  assertBroken(await built(damage(({ root }) => root, 8192)), 'verity');
  assertBroken(await built(damage(({ verity }) => verity, 4096)), 'verity');
});

test('root-hash-signature: by a foreign key, in the partition or in the UKI; one bit of it', async () => {
  assertBroken(await built({ veritySigner: workshop.foreign.verity }), 'root-hash-signature');
  const { keys, foreign } = workshop;
  assertBroken(
    await built({ keys: { verity: foreign.verity }, veritySigner: keys.verity }),
    'root-hash-signature',
  );
  const flipped = await built({
    // Inside the base64 text of the signature, behind the JSON's first fields.
    damageDisk: async (path) => flipBit(path, (await slotOf(path)).signature.offsetBytes + 400),
  });
  assert.equal(flipped.verdict, 'fail');
  assert.ok(flipped.checks.some(({ id, verdict }) => id === 'root-hash-signature' && verdict === 'fail'));
});

test('uki-signature and boot-loader-signature: by a foreign key', async () => {
  const report = await built({ keys: { boot: workshop.foreign.boot } });
  assertBroken(report, 'uki-signature');
  assert.ok(verdicts(report).includes('fail boot-loader-signature'));
});

test('command-line: the UKI names another root hash', async () => {
  assertBroken(await built({ ukiRootHash: hashText('another root') }), 'command-line');
});

test('pcr-signature: reference values that are not what the boot files measure', async () => {
  const report = await changed(async (folder) => {
    const { name, version } = await readManifest(folder);
    const path = join(folder, releaseNames(name, version).reference);
    const reference = parseReference(await readFile(path, 'utf8'), path);
    const registers = reference.registers.map((register) =>
      register.pcr === 12 ? { ...register, events: [{ what: 'x', sha256: 'ab'.repeat(32) }] } : register,
    );
    await writeFile(path, formatReference({ ...reference, registers }));
    await agree(folder);
  });
  assertBroken(report, 'pcr-signature');
  assert.match(report.firstBroken?.detail ?? '', /other events of PCR 12/);
});

test('pcr-signature: by a foreign key', async () => {
  assertBroken(await built({ keys: { pcr: workshop.foreign.pcr } }), 'pcr-signature');
});

test('sbom: a file that is not in the root, one with another content', async () => {
  const treeDir = join(workshop.folder, 'other-tree');
  await cp(workshop.treeDir, treeDir, { recursive: true });
  await writeFile(join(treeDir, 'usr/lib/os-release'), 'ID=other\n');
  await writeFile(join(treeDir, 'usr/bin/ghost'), '');
  const report = await built({ treeDir });
  assertBroken(report, 'sbom');
  assert.match(report.firstBroken?.detail ?? '', /2 files differ/);
});

test('verifyDisk: a disk by itself, compressed or raw; bad ones are told apart', async () => {
  const path = join(good, names.disk('raw.zst'));
  const report = await verifyDisk(path, { trusted });
  assert.equal(report.verdict, 'pass', JSON.stringify(report.checks));
  assert.ok(!report.checks.some(({ id }) => id === 'partitions' || id === 'sums'));
  await assert.rejects(
    verifyDisk(join(good, 'missing.raw')),
    (error) => error instanceof PlinthError && error.code === 'release/not-found',
  );
  const noDisk = await verifyDisk(join(good, names.manifest), { trusted });
  assert.equal(noDisk.firstBroken?.id, 'disk-table');
});

test('a release without a .raw.zst disk leaves the links of the disk open', async () => {
  const report = await built({ formats: [] });
  assert.equal(report.verdict, 'unknown');
  assert.deepEqual(
    verdicts(report),
    all.map((id, index) => `${index < 4 ? 'pass' : 'unknown'} ${id}`),
  );
});

test('property: no flipped bit of the boot partition or of a table makes verifyDisk throw', async () => {
  const raw = join(workshop.folder, 'flip.raw');
  const { toolbox } = workshop;
  const [source, target] = [join(good, names.disk('raw.zst')), raw].map(
    (path) => `/mnt${path.slice(workshop.folder.length)}`,
  );
  const binds = [{ host: workshop.folder, inside: '/mnt' }];
  await toolbox.run('zstd', ['-q', '-d', source ?? '', '-o', target ?? ''], { binds });
  const { root, signature } = await slotOf(raw);
  const anywhere = fc.oneof(
    fc.integer({ min: 512, max: 34 * 512 }),
    fc.integer({ min: 2 ** 20, max: 2 ** 20 + 600_000 }),
    fc.integer({ min: 0, max: 4096 }).map((at) => signature.offsetBytes + at),
    fc.integer({ min: 0, max: 60_000 }).map((at) => root.offsetBytes + at),
  );
  await fc.assert(
    fc.asyncProperty(anywhere, async (at) => {
      await flipBit(raw, at);
      const report = await verifyDisk(raw, { trusted });
      await flipBit(raw, at);
      assert.ok(at < root.offsetBytes || at >= root.offsetBytes + 60_000 || report.verdict === 'fail');
    }),
    { numRuns: 25 },
  );
});

test('an interruption ends verification and leaves nothing unpacked', async () => {
  const signal = AbortSignal.abort();
  const isInterrupted = (error: unknown) => error instanceof PlinthError && error.code === 'cli/interrupted';
  await assert.rejects(verifyRelease(good, { trusted, signal }), isInterrupted);
  await assert.rejects(verifyDisk(join(good, names.disk('raw.zst')), { trusted, signal }), isInterrupted);
  const left = await readdir(cacheDir());
  assert.deepEqual(
    left.filter((name) => name.startsWith(`unpacked-${process.pid}-`)),
    [],
  );
});

test('verifyRelease refuses a folder without a release, and says what is there instead', async () => {
  for (const [path, state] of [
    [workshop.folder, /it holds 0 manifests, expected one$/],
    [join(workshop.folder, 'absent'), /there is nothing, expected a folder$/],
    [join(good, names.manifest), /it is a file, expected a folder$/],
  ] as const)
    await assert.rejects(verifyRelease(path), { code: 'release/not-found', message: state });
});

async function slotOf(diskPath: string): Promise<Slot> {
  const disk = await openFileReader(diskPath);
  try {
    const { slots } = await readDiskLayout(disk);
    return slots[0];
  } finally {
    await disk.close();
  }
}

async function flipBit(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  await file.write(byte, 0, 1, at);
  await file.close();
}

async function changeManifest(folder: string, change: (manifest: Manifest) => Manifest): Promise<void> {
  await writeFile(join(folder, names.manifest), formatManifest(change(await readManifest(folder))));
}

/** Makes manifest, provenance and checksums say what the files are now: a thief with the release key. */
async function agree(folder: string): Promise<void> {
  const { artefacts } = await readManifest(folder);
  const digests = new Map<string, { sha256: string; sizeBytes: number }>();
  for (const { name } of artefacts) digests.set(name, await hashFile(join(folder, name)));
  await changeManifest(folder, (manifest) => ({
    ...manifest,
    artefacts: manifest.artefacts.map((artefact) => ({ ...artefact, ...digests.get(artefact.name) })),
  }));
  await signAgain(folder, workshop.keys.release);
}

async function signAgain(folder: string, signer: Signer, provenanceSigner = signer): Promise<void> {
  const sums = new Map<string, string>();
  const papers = [SUMS_FILE, SUMS_SIGNATURE_FILE, names.provenance];
  for (const name of (await readdir(folder)).filter((each) => !papers.includes(each))) {
    sums.set(name, (await hashFile(join(folder, name))).sha256);
  }
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [...sums].map(([name, sha256]) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const envelope = JSON.stringify(await signDsse(provenanceSigner, PROVENANCE_PAYLOAD_TYPE, payload));
  await writeFile(join(folder, names.provenance), envelope);
  sums.set(names.provenance, hashText(envelope));
  const text = formatSums(sums);
  await writeFile(join(folder, SUMS_FILE), text);
  await writeFile(join(folder, SUMS_SIGNATURE_FILE), await signDetached(signer, Buffer.from(text)));
}
