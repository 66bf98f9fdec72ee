import { readFile } from 'node:fs/promises';
import { authenticodeDigest, type GptPartition, hex, readUki, sha256 } from '@plinth/formats';
import { mapParallel } from '@plinth/host';
import type { Certificate } from '@plinth/trust';
import type { ReleaseNames } from '@plinth/updates';
import { BOOT_CHAIN, type Manifest, type ManifestArtefact } from '@plinth/updates';
import { isEmptySlot } from './disk/disk-layout.ts';
import type { FileReader } from './disk/file-reader.ts';
import { hashRange } from './disk/hash-range.ts';
import type { SlotPart } from './disk/split-slot.ts';
import type { ReleaseContext } from './release-context.ts';

const CERTIFICATE_ROLES = ['boot', 'verity', 'pcr', 'release'] as const;

/** makeManifest describes a release whose files are written. */
export async function makeManifest(
  { inputs, disk, layout, parts, names }: ReleaseContext,
  artefacts: ManifestArtefact[],
): Promise<Manifest> {
  const uki = await readFile(inputs.ukiPath);
  const loader = await layout.esp.read('EFI/BOOT/BOOTX64.EFI');
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
    certificates: CERTIFICATE_ROLES.map((role) => describeCertificate(role, inputs.certificates[role])),
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
