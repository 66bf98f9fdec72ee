import type { Manifest } from '@plinth/updates';
import { type DiskLayout, readDiskLayout } from '../disk/disk-layout.ts';
import type { FileReader } from '../disk/file-reader.ts';
import {
  type Check,
  type CheckId,
  noAnchors,
  notReached,
  type Outcome,
  runCheck,
  type VerifyOptions,
  worstOf,
} from './check.ts';
import { checkCommandLines, checkLoaderSignatures, checkPcrs, checkUkiSignatures } from './check-boot.ts';
import { checkDiskTable, checkPartitions } from './check-partitions.ts';
import { checkReference } from './check-reference.ts';
import { checkRootHashSignatures, checkVerity } from './check-root.ts';
import { readSlotImage, readUkis, type SlotImage } from './slot-images.ts';

export interface ImageChecks {
  readonly checks: readonly Check[];
  /** Absent when the disk could not be read. */
  readonly layout?: DiskLayout;
}

/** The release a disk belongs to. */
export interface ReleaseContext {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The links that stand on a disk, in order; "partitions" only where there is a release to compare with. */
export const imageCheckIds = [
  'disk-table',
  'partitions',
  'verity',
  'root-hash-signature',
  'uki-signature',
  'command-line',
  'pcr-signature',
  'boot-loader-signature',
] as const satisfies readonly CheckId[];

/** verifyImage judges everything that lies on a disk: partitions, hash trees, signatures, boot files. */
export async function verifyImage(
  disk: FileReader,
  { trusted: anchors = noAnchors, signal }: VerifyOptions,
  release?: ReleaseContext,
): Promise<ImageChecks> {
  const judge = (id: CheckId, work: () => Promise<Outcome> | Outcome) => runCheck(id, work, signal);
  const layout = await settle(() => readDiskLayout(disk));
  const table = await judge('disk-table', () => checkDiskTable(resultOf(layout), release?.manifest));
  if ('reason' in layout) {
    const ids = imageCheckIds.filter((id) => id !== 'disk-table' && (release || id !== 'partitions'));
    return { checks: [table, ...ids.map((id) => notReached(id, 'the disk cannot be read'))] };
  }
  const { esp, slots } = layout.value;
  const ukis = await settle(() => readUkis(layout.value));
  const images = await settle(async () => {
    const read: SlotImage[] = [];
    for (const slot of slots) read.push(await readSlotImage(disk, slot));
    return read;
  });
  const checks = [
    table,
    ...(release
      ? [
          await judge('partitions', () =>
            checkPartitions(release.folder, release.manifest, disk, layout.value),
          ),
        ]
      : []),
    await judge('verity', () => checkVerity(disk, resultOf(images))),
    await judge('root-hash-signature', () =>
      checkRootHashSignatures(resultOf(images), resultOf(ukis), anchors),
    ),
    await judge('uki-signature', () => checkUkiSignatures(resultOf(ukis), anchors)),
    await judge('command-line', () => checkCommandLines(resultOf(images), resultOf(ukis))),
    await judge('pcr-signature', async () => {
      const reference = release && (await checkReference(resultOf(ukis), esp, release));
      const pcrs = await checkPcrs(resultOf(ukis), esp, anchors, release?.manifest);
      return reference ? worstOf([pcrs, reference]) : pcrs;
    }),
    await judge('boot-loader-signature', () => checkLoaderSignatures(esp, anchors)),
  ];
  return { checks, layout: layout.value };
}

type Settled<T> = { readonly value: T } | { readonly reason: unknown };

/** Does work whose result several checks need; each of them reports the error if there is one. */
async function settle<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await work() };
  } catch (reason) {
    return { reason };
  }
}

function resultOf<T>(settled: Settled<T>): T {
  if ('reason' in settled) throw settled.reason;
  return settled.value;
}
