import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Progress, silentProgress } from '@plinth/base';
import { hex, sha256 } from '@plinth/formats';
import { hashFile, ioError, mapParallel } from '@plinth/host';
import { signDetached, signDsse } from '@plinth/trust';
import {
  formatManifest,
  type Manifest,
  type ManifestArtefact,
  mediaTypeOf,
  releaseNames,
  SUMS_FILE,
  SUMS_SIGNATURE_FILE,
} from '@plinth/updates';
import { compareText } from '../compare-text.ts';
import { convertDisk } from './disk/convert-disk.ts';
import { readDiskLayout } from './disk/disk-layout.ts';
import { openFileReader } from './disk/file-reader.ts';
import { slotParts, writeSlotPart } from './disk/split-slot.ts';
import { writeBlockPack } from './disk/write-block-pack.ts';
import { makeManifest } from './make-manifest.ts';
import { makeProvenance, PROVENANCE_PAYLOAD_TYPE } from './provenance.ts';
import type { ReleaseContext, ReleaseInputs, WriteOptions } from './release-context.ts';
import { formatSums } from './sums.ts';
import { writePapers } from './write-papers.ts';

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
    const parts = await slotParts(disk, slot);
    const { name, version } = inputs;
    const context: ReleaseContext = {
      inputs,
      folder,
      options,
      disk,
      layout,
      parts,
      names: releaseNames(name, version),
    };
    const imagesWritten = progress.step('Write disks and partitions', (step) => writeImages(context, step));
    const papersWritten = progress.step('Write SBOM and facts', () => writePapers(context));
    // Whoever clears the folder away after a failure must not meet the other half still writing into it.
    await Promise.allSettled([imagesWritten, papersWritten]);
    const [images, papers] = await Promise.all([imagesWritten, papersWritten]);
    return await progress.step('Write manifest and signatures', () =>
      writeSigned(context, [...images, ...papers]),
    );
  } catch (reason) {
    throw ioError(reason, `write release ${inputs.version}`);
  } finally {
    await disk.close();
  }
}

/** Gives the names of what it wrote. */
async function writeImages(context: ReleaseContext, step: Progress): Promise<string[]> {
  const { inputs, folder, options, names } = context;
  const { toolbox, signal } = options;
  const convert = { epochSeconds: inputs.epochSeconds, seed: inputs.rootHash, ...(signal ? { signal } : {}) };
  const files: readonly (readonly [name: string, write: (path: string) => Promise<void>])[] = [
    ...inputs.formats.map((format) => {
      const write = (path: string) => convertDisk(toolbox, inputs.diskPath, format, path, convert);
      return [names.disk(format), write] as const;
    }),
    ...context.parts.map((part) => {
      const write = (path: string) => writeSlotPart(inputs.diskPath, part, path);
      return [names.partition(part.kind, part.uuid), write] as const;
    }),
    ...context.parts.flatMap((part) => {
      if (part.kind === 'root-verity-sig') return [];
      const write = (path: string) => writeBlockPack(inputs.diskPath, part, path);
      return [[names.packed(part.kind, part.uuid), write] as const];
    }),
    [names.uki, (path) => copyFile(inputs.ukiPath, path)],
  ];
  let done = 0;
  return mapParallel(files, 2, async ([name, write]) => {
    await write(join(folder, name));
    step.note(`${++done}/${files.length}`);
    return name;
  });
}

async function writeSigned(context: ReleaseContext, written: readonly string[]): Promise<Manifest> {
  const { inputs, folder, names } = context;
  const artefacts = await mapParallel(written, 2, async (name): Promise<ManifestArtefact> => {
    return { name, mediaType: mediaTypeOf(name), ...(await hashFile(join(folder, name))) };
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
