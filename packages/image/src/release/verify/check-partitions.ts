import { join } from 'node:path';
import { hex, sha256 } from '@plinth/formats';
import { hashFile, mapParallel } from '@plinth/host';
import type { Manifest, ManifestPartition } from '@plinth/updates';
import type { DiskLayout } from '../disk/disk-layout.ts';
import type { FileReader } from '../disk/file-reader.ts';
import { hashRange } from '../disk/hash-range.ts';
import { fail, type Outcome, pass } from './check.ts';

/** checkDiskTable says what slots a disk holds and, given a manifest, compares its partitions with it. */
export function checkDiskTable({ gpt, slots }: DiskLayout, manifest: Manifest | undefined): Outcome {
  if (manifest) {
    const found = gpt.partitions.map((partition) => place({ ...partition, type: partition.typeName }));
    const expected = manifest.partitions.map(place);
    const differing = expected.filter((line, index) => line !== found[index]);
    if (found.length !== expected.length) {
      return fail(`${found.length} partitions, the manifest has ${expected.length}`);
    }
    if (differing.length > 0) return fail(`other partitions than in the manifest: ${differing.join('; ')}`);
    if (gpt.diskUuid !== manifest.disk.uuid)
      return fail(`disk UUID ${gpt.diskUuid}, not ${manifest.disk.uuid}`);
  }
  return pass(`${gpt.partitions.length} partitions, with ${slots.map(({ label }) => label).join(' and ')}`);
}

/** checkPartitions compares each partition with the manifest and with its split file, and the UKI with its own. */
export async function checkPartitions(
  folder: string,
  manifest: Manifest,
  disk: FileReader,
  layout: DiskLayout,
): Promise<Outcome> {
  const problems = await mapParallel(manifest.partitions, 2, (partition) =>
    comparePartition(folder, partition, disk),
  );
  const uki = layout.esp.paths.find((path) => /^EFI\/Linux\/[^/]+\.efi$/.test(path));
  const isSameUki = uki !== undefined && hex(sha256(await layout.esp.read(uki))) === manifest.uki.sha256;
  const found = [
    ...problems.flat(),
    ...(isSameUki ? [] : [`the UKI on the ESP is not ${manifest.uki.name}`]),
  ];
  if (found.length > 0) return fail(found.join('; '));
  return pass(`${manifest.partitions.length} partitions and the UKI are the published ones`);
}

async function comparePartition(
  folder: string,
  partition: ManifestPartition,
  disk: FileReader,
): Promise<string[]> {
  const what = `partition ${partition.number} (${partition.label})`;
  if (partition.sha256 !== undefined && (await hashRange(disk, partition)) !== partition.sha256) {
    return [`${what} has another digest than the manifest says`];
  }
  if (!partition.artefact) return [];
  const { name, sizeBytes } = partition.artefact;
  const own = await hashRange(disk, { offsetBytes: partition.offsetBytes, sizeBytes });
  const split = await hashFile(join(folder, name));
  return split.sha256 === own ? [] : [`${what} is not what ${name} holds`];
}

type Place = Pick<ManifestPartition, 'number' | 'label' | 'uuid' | 'type' | 'offsetBytes' | 'sizeBytes'>;

function place({ number, label, uuid, type, offsetBytes, sizeBytes }: Place): string {
  return `${number} ${label} ${type} ${uuid} at ${offsetBytes} of ${sizeBytes} bytes`;
}
