import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Progress, silentProgress } from '@plinth/base';
import type { Lock } from '@plinth/debian';
import { authenticodeDigest, type GptPartition, hex, readUki, sha256 } from '@plinth/formats';
import { hashFile, ioError, mapParallel } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { type Certificate, type Signer, signDetached, signDsse } from '@plinth/trust';
import { compareText } from '../compare-text.ts';
import type { TreeFacts } from '../policy/facts.ts';
import type { BuiltTree } from '../types.ts';
import { convertDisk, type DiskFormat } from './disk/convert-disk.ts';
import { type DiskLayout, isEmptySlot, readDiskLayout } from './disk/disk-layout.ts';
import { type FileReader, openFileReader } from './disk/file-reader.ts';
import { hashRange } from './disk/hash-range.ts';
import { type SlotPart, slotParts, writeSlotPart } from './disk/split-slot.ts';
import { collectFacts } from './facts/collect-facts.ts';
import { formatFacts } from './facts/release-facts.ts';
import { BOOT_CHAIN, formatManifest, type Manifest, type ManifestArtefact } from './manifest.ts';
import { mediaTypeOf, type ReleaseNames, releaseNames, SUMS_FILE, SUMS_SIGNATURE_FILE } from './names.ts';
import { makeProvenance, PROVENANCE_PAYLOAD_TYPE } from './provenance.ts';
import { type BundledModule, makeBill } from './sbom/bill.ts';
import { writeCycloneDx } from './sbom/write-cyclonedx.ts';
import { writeSpdx } from './sbom/write-spdx.ts';
import { formatSums } from './sums.ts';

/** Everything a release is written from; all of it was made by the build. */
export interface ReleaseInputs {
  readonly name: string;
  readonly version: string;
  readonly prettyName: string;
  readonly epochSeconds: number;
  readonly rootHash: string;
  readonly diskPath: string;
  readonly ukiPath: string;
  readonly lock: Lock;
  readonly lockSha256: string;
  /** With digests, see hashTree. */
  readonly tree: BuiltTree;
  readonly facts: TreeFacts;
  readonly kernel: {
    readonly release: string;
    readonly package: string;
    /** Text of its .config. */
    readonly config: string;
  };
  readonly agent: { readonly version: string; readonly modules: readonly BundledModule[] };
  /** Values to expect, by PCR and then by case or boot phase; hex. */
  readonly pcrs: Manifest['pcrs'];
  readonly certificates: Readonly<Record<'boot' | 'verity' | 'pcr' | 'release', Certificate>>;
  /** Signs provenance and checksums. */
  readonly signer: Signer;
  readonly formats: readonly DiskFormat[];
  readonly commit?: string;
}

export interface WriteOptions {
  readonly toolbox: Toolbox;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** A file that is written, before it is listed. */
interface Written {
  readonly name: string;
  readonly content?: ManifestArtefact['content'];
}

/**
 * writeRelease writes all files of a release into an empty folder: disks and partitions first, then what describes
 * them, then the manifest, and the signatures last, so that unsigned content does not depend on who signs.
 * The caller makes the folder appear under its final name when this is done (a stage of the build is such a folder).
 * @throws release/disk-format, release/disk-invalid, host/disk-full, host/io, trust/signing-failed
 */
export async function writeRelease(
  inputs: ReleaseInputs,
  folder: string,
  options: WriteOptions,
): Promise<Manifest> {
  const { progress = silentProgress } = options;
  await mkdir(folder, { recursive: true });
  const disk = await openFileReader(inputs.diskPath);
  try {
    const layout = await readDiskLayout(disk);
    const [slot] = layout.slots;
    const parts = slot ? await slotParts(disk, slot) : [];
    const context: Context = { inputs, folder, options, disk, layout, parts, names: namesOf(inputs) };
    const images = await progress.step('Write disks and partitions', (step) => writeImages(context, step));
    const papers = await progress.step('Write SBOM and facts', () => writePapers(context));
    return await progress.step('Write manifest and signatures', () =>
      writeSigned(context, [...images, ...papers]),
    );
  } catch (reason) {
    throw ioError(reason, `write release ${inputs.version}`);
  } finally {
    await disk.close();
  }
}

interface Context {
  readonly inputs: ReleaseInputs;
  readonly folder: string;
  readonly options: WriteOptions;
  readonly disk: FileReader;
  readonly layout: DiskLayout;
  readonly parts: readonly SlotPart[];
  readonly names: ReleaseNames;
}

function namesOf({ name, version }: ReleaseInputs): ReleaseNames {
  return releaseNames(name, version);
}

async function writeImages(context: Context, step: Progress): Promise<Written[]> {
  const { inputs, folder, options, disk, names } = context;
  const { toolbox, signal } = options;
  const splits = context.parts.map((part) => async (): Promise<Written> => {
    const name = names.partition(part.kind, part.uuid);
    await writeSlotPart(toolbox, inputs.diskPath, part, join(folder, name));
    return { name, content: { sizeBytes: part.sizeBytes, sha256: await hashRange(disk, part) } };
  });
  const disks = inputs.formats.map((format) => async (): Promise<Written> => {
    const name = names.disk(format);
    await convertDisk(toolbox, inputs.diskPath, format, join(folder, name), {
      epochSeconds: inputs.epochSeconds,
      seed: inputs.rootHash,
      ...(signal ? { signal } : {}),
    });
    return { name };
  });
  const uki = async (): Promise<Written> => {
    await copyFile(inputs.ukiPath, join(folder, names.uki));
    return { name: names.uki };
  };
  const tasks = [...disks, ...splits, uki];
  let done = 0;
  return mapParallel(tasks, 2, async (task) => {
    const written = await task();
    step.note(`${++done}/${tasks.length}`);
    return written;
  });
}

async function writePapers({ inputs, folder, parts, names, disk }: Context): Promise<Written[]> {
  const { name, version, prettyName, epochSeconds, lock, tree, agent } = inputs;
  const ukiBytes = await readFile(inputs.ukiPath);
  const goPrograms = new Map(
    [...inputs.facts.files].flatMap(([path, content]) =>
      content.kind === 'elf' && content.elf.go ? [[path, content.elf.go] as const] : [],
    ),
  );
  const bill = makeBill({
    ...{ name, version, prettyName, epochSeconds, packages: lock.packages, tree, goPrograms, agent },
    kernel: {
      release: inputs.kernel.release,
      package: inputs.kernel.package,
      sha256: hex(sha256(readUki(ukiBytes, names.uki).linux)),
    },
  });
  const facts = await collectFacts({
    ...{ name, version, packages: lock.packages, tree },
    kernelConfig: inputs.kernel.config,
    sizes: releaseSizes(parts, ukiBytes.length, disk.sizeBytes),
  });
  const papers: readonly (readonly [string, string])[] = [
    [names.spdx, writeSpdx(bill)],
    [names.cycloneDx, writeCycloneDx(bill)],
    [names.facts, formatFacts(facts)],
    [names.pcrs, `${JSON.stringify(inputs.pcrs, undefined, 2)}\n`],
  ];
  for (const [file, text] of papers) await writeFile(join(folder, file), text);
  return papers.map(([file]) => ({ name: file }));
}

/** Sizes by the names that the policy's budgets and the facts use. */
export function releaseSizes(
  parts: readonly SlotPart[],
  ukiBytes: number,
  diskBytes: number,
): Record<'root' | 'verity' | 'uki' | 'disk', number> {
  const sizeOf = (kind: SlotPart['kind']) => parts.find((part) => part.kind === kind)?.sizeBytes ?? 0;
  return { root: sizeOf('root'), verity: sizeOf('root-verity'), uki: ukiBytes, disk: diskBytes };
}

async function writeSigned(context: Context, written: readonly Written[]): Promise<Manifest> {
  const { inputs, folder, names } = context;
  const artefacts = await mapParallel(written, 2, async ({ name, content }): Promise<ManifestArtefact> => {
    const mediaType = mediaTypeOf(name);
    return { name, mediaType, ...(await hashFile(join(folder, name))), ...(content ? { content } : {}) };
  });
  artefacts.sort((a, b) => compareText(a.name, b.name));
  const manifest = await makeManifest(context, artefacts);
  const manifestText = formatManifest(manifest);
  await writeFile(join(folder, names.manifest), manifestText);
  const digests = new Map(artefacts.map(({ name, sha256: digest }) => [name, digest]));
  digests.set(names.manifest, hex(sha256(Buffer.from(manifestText))));

  const { version, lock, lockSha256, commit } = inputs;
  const statement = makeProvenance({
    ...{ version, lock, lockSha256, subjects: digests, toolboxKey: context.options.toolbox.key },
    ...(commit === undefined ? {} : { commit }),
  });
  const envelope = await signDsse(inputs.signer, PROVENANCE_PAYLOAD_TYPE, Buffer.from(statement));
  const envelopeText = `${JSON.stringify(envelope, undefined, 1)}\n`;
  await writeFile(join(folder, names.provenance), envelopeText);
  digests.set(names.provenance, hex(sha256(Buffer.from(envelopeText))));

  const sums = formatSums(digests);
  await writeFile(join(folder, SUMS_FILE), sums);
  await writeFile(join(folder, SUMS_SIGNATURE_FILE), await signDetached(inputs.signer, Buffer.from(sums)));
  return manifest;
}

async function makeManifest(
  { inputs, disk, layout, parts, names }: Context,
  artefacts: ManifestArtefact[],
): Promise<Manifest> {
  const uki = await readFile(inputs.ukiPath);
  const loader = await layout.esp.read('EFI/BOOT/BOOTX64.EFI');
  const roles = ['boot', 'verity', 'pcr', 'release'] as const;
  return {
    format: 1,
    name: inputs.name,
    version: inputs.version,
    architecture: 'x86-64',
    created: new Date(inputs.epochSeconds * 1000).toISOString(),
    rootHash: inputs.rootHash,
    kernel: { version: inputs.kernel.release, commandLine: readUki(uki, names.uki).cmdline ?? '' },
    agent: { version: inputs.agent.version },
    packages: { count: inputs.lock.packages.length, lockSha256: inputs.lockSha256 },
    disk: { uuid: layout.gpt.diskUuid, sizeBytes: disk.sizeBytes },
    partitions: await mapParallel(layout.gpt.partitions, 2, (partition) =>
      describePartition(partition, disk, parts, names),
    ),
    uki: { name: names.uki, ...programDigests(uki) },
    bootLoader: programDigests(loader),
    pcrs: inputs.pcrs,
    certificates: roles.map((role) => describeCertificate(role, inputs.certificates[role])),
    chain: BOOT_CHAIN,
    artefacts,
  };
}

async function describePartition(
  partition: GptPartition,
  disk: FileReader,
  parts: readonly SlotPart[],
  names: ReleaseNames,
): Promise<Manifest['partitions'][number]> {
  const { number, label, uuid, typeName, offsetBytes, sizeBytes } = partition;
  const part = parts.find((candidate) => candidate.number === number);
  return {
    ...{ number, label, uuid, type: typeName, offsetBytes, sizeBytes },
    ...(isEmptySlot(partition) ? {} : { sha256: await hashRange(disk, partition) }),
    ...(part ? { artefact: { name: names.partition(part.kind, part.uuid), sizeBytes: part.sizeBytes } } : {}),
  };
}

function programDigests(bytes: Uint8Array): { sha256: string; authenticodeSha256: string } {
  return { sha256: hex(sha256(bytes)), authenticodeSha256: hex(authenticodeDigest(bytes)) };
}

function describeCertificate(
  role: Manifest['certificates'][number]['role'],
  certificate: Certificate,
): Manifest['certificates'][number] {
  const { subject, der, keyId, notAfter } = certificate;
  return { role, subject, sha256: hex(sha256(der)), keyId, notAfter: notAfter.toISOString() };
}
