import { messageOf, PlinthError } from '@plinth/base';
import {
  Metadata,
  MetadataKind,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from '@tufjs/models';

export type RootMetadata = Metadata<Root>;
export type TimestampMetadata = Metadata<Timestamp>;
export type SnapshotMetadata = Metadata<Snapshot>;
export type TargetsMetadata = Metadata<Targets>;

interface Kinds {
  readonly root: RootMetadata;
  readonly timestamp: TimestampMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly targets: TargetsMetadata;
}

/** How much of each list is looked at before a signature is: what follows takes time that grows with its square. */
const LISTS: readonly (readonly [path: readonly string[], maximum: number])[] = [
  [['signatures'], 100],
  [['signed', 'keys'], 100],
  [['signed', 'roles'], 100],
  [['signed', 'meta'], 200],
  [['signed', 'targets'], 5000],
  [['signed', 'delegations', 'keys'], 100],
  [['signed', 'delegations', 'roles'], 32],
];

/**
 * parseMetadata reads a document of TUF; nothing in it is believed yet.
 * @param file its name, for messages
 * @throws update/metadata-invalid
 */
export function parseMetadata<K extends keyof Kinds>(kind: K, bytes: Uint8Array, file: string): Kinds[K] {
  try {
    const data: Parameters<typeof Metadata.fromJSON>[1] = JSON.parse(Buffer.from(bytes).toString('utf8'));
    for (const [path, maximum] of LISTS) {
      const count = countAt(data, path);
      if (count > maximum) throw invalid(file, `${count} entries in ${path.join('.')}`, `at most ${maximum}`);
    }
    return readKind[kind](data);
  } catch (reason) {
    if (reason instanceof PlinthError) throw reason;
    throw invalid(file, messageOf(reason).slice(0, 200), `metadata of the kind ${kind}`);
  }
}

type Json = Parameters<typeof Metadata.fromJSON>[1];
const readKind: { readonly [K in keyof Kinds]: (data: Json) => Kinds[K] } = {
  root: (data) => Metadata.fromJSON(MetadataKind.Root, data),
  timestamp: (data) => Metadata.fromJSON(MetadataKind.Timestamp, data),
  snapshot: (data) => Metadata.fromJSON(MetadataKind.Snapshot, data),
  targets: (data) => Metadata.fromJSON(MetadataKind.Targets, data),
};

function countAt(data: unknown, path: readonly string[]): number {
  let at: unknown = data;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return 0;
    at = Object.getOwnPropertyDescriptor(at, name)?.value;
  }
  return typeof at === 'object' && at !== null ? Object.keys(at).length : 0;
}

/**
 * requireSigned checks that a document carries the signatures that the role above it asks for.
 * @throws update/metadata-unsigned
 */
export function requireSigned(
  above: RootMetadata | TargetsMetadata,
  role: string,
  metadata: Kinds[keyof Kinds],
  file: string,
): void {
  try {
    above.verifyDelegate(role, metadata);
  } catch (reason) {
    const state = messageOf(reason).slice(0, 200);
    throw new PlinthError(
      'update/metadata-unsigned',
      `Cannot believe ${file}: ${state}, expected as many valid signatures as its role asks for`,
    );
  }
}

/** @throws update/metadata-expired */
export function requireFresh(metadata: Kinds[keyof Kinds], atMs: number, file: string): void {
  const at = new Date(atMs);
  if (!metadata.signed.isExpired(at)) return;
  const state = `it expired at ${metadata.signed.expires}, the node's time is ${at.toISOString()}`;
  throw new PlinthError(
    'update/metadata-expired',
    `Cannot use ${file}: ${state}, expected it to be valid still`,
  );
}

/** @throws update/metadata-rolled-back when a version is below one that was seen */
export function requireNotOlder(file: string, version: number, seen: number | undefined): void {
  if (seen === undefined || version >= seen) return;
  throw new PlinthError(
    'update/metadata-rolled-back',
    `Cannot use ${file}: it has version ${version}, expected ${seen} or above, which was seen before`,
  );
}

export function invalid(file: string, state: string, expected: string): PlinthError {
  return new PlinthError('update/metadata-invalid', `Cannot use ${file}: ${state}, expected ${expected}`);
}
