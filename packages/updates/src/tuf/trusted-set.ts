import { messageOf } from '@plinth/base';
import {
  invalid,
  parseMetadata,
  type RootMetadata,
  requireFresh,
  requireNotOlder,
  requireSigned,
  type SnapshotMetadata,
  type TargetsMetadata,
  type TimestampMetadata,
} from './metadata.ts';

/*
 * The checks of the client workflow (TUF specification 1.0.34, section 5), without any input or output; the numbers are those of its
 * steps. The updater of tuf-js is not used on a node: it takes the time from the clock alone, believes whatever root lies in its
 * folder, writes files that a power cut tears, and says in words only what went wrong. It is the oracle of the tests.
 */

/** 5.2: the root that came with the image. @throws update/metadata-invalid, update/metadata-unsigned */
export function firstRoot(bytes: Uint8Array, file: string): RootMetadata {
  const root = parseMetadata('root', bytes, file);
  requireSigned(root, 'root', root, file);
  return root;
}

/** 5.3.4 to 5.3.8: the root after one that is trusted. @throws update/metadata-invalid, update/metadata-unsigned */
export function nextRoot(trusted: RootMetadata, bytes: Uint8Array): RootMetadata {
  const expected = trusted.signed.version + 1;
  const file = `${expected}.root.json`;
  const root = parseMetadata('root', bytes, file);
  requireSigned(trusted, 'root', root, file);
  requireSigned(root, 'root', root, file);
  if (root.signed.version !== expected) throw invalid(file, `version ${root.signed.version}`, `${expected}`);
  return root;
}

/** What the node saw before, as far as the keys that count now still vouch for it (5.3.11). */
export interface Seen {
  readonly timestamp?: TimestampMetadata;
  readonly snapshot?: SnapshotMetadata;
}

/** seenBefore reads what was stored; what is torn, or signed by keys that were changed since, tells nothing. */
export function seenBefore(
  root: RootMetadata,
  stored: { readonly timestamp: Uint8Array | undefined; readonly snapshot: Uint8Array | undefined },
): Seen {
  try {
    if (!stored.timestamp) return {};
    const timestamp = parseMetadata('timestamp', stored.timestamp, 'timestamp.json');
    requireSigned(root, 'timestamp', timestamp, 'timestamp.json');
    if (!stored.snapshot) return { timestamp };
    const snapshot = parseMetadata('snapshot', stored.snapshot, 'snapshot.json');
    requireSigned(root, 'snapshot', snapshot, 'snapshot.json');
    return { timestamp, snapshot };
  } catch {
    // Old metadata are of use only against going back; a change of keys is the way to start over after a theft of keys.
    return {};
  }
}

/**
 * 5.4: the timestamp. One of the version that was seen already is that one.
 * @throws update/metadata-invalid, update/metadata-unsigned, update/metadata-rolled-back, update/metadata-expired
 */
export function newTimestamp(
  root: RootMetadata,
  seen: Seen,
  bytes: Uint8Array,
  atMs: number,
): TimestampMetadata {
  const file = 'timestamp.json';
  const timestamp = parseMetadata('timestamp', bytes, file);
  requireSigned(root, 'timestamp', timestamp, file);
  requireNotOlder(file, timestamp.signed.version, seen.timestamp?.signed.version);
  const chosen = timestamp.signed.version === seen.timestamp?.signed.version ? seen.timestamp : timestamp;
  requireNotOlder(
    'snapshot.json by its timestamp',
    chosen.signed.snapshotMeta.version,
    seen.timestamp?.signed.snapshotMeta.version,
  );
  requireFresh(chosen, atMs, file);
  return chosen;
}

/**
 * 5.5: the snapshot that the timestamp names.
 * @throws update/metadata-invalid, update/metadata-unsigned, update/metadata-rolled-back, update/metadata-expired
 */
export function newSnapshot(
  root: RootMetadata,
  timestamp: TimestampMetadata,
  seen: Seen,
  bytes: Uint8Array,
  atMs: number,
): SnapshotMetadata {
  const file = 'snapshot.json';
  const { snapshotMeta } = timestamp.signed;
  requireDescribed(() => snapshotMeta.verify(Buffer.from(bytes)), file);
  const snapshot = parseMetadata('snapshot', bytes, file);
  requireSigned(root, 'snapshot', snapshot, file);
  const { version, meta } = snapshot.signed;
  if (version !== snapshotMeta.version) throw invalid(file, `version ${version}`, `${snapshotMeta.version}`);
  for (const [name, old] of Object.entries(seen.snapshot?.signed.meta ?? {})) {
    const now = Object.hasOwn(meta, name) ? meta[name] : undefined;
    if (!now) throw invalid(file, `${name} is no longer listed`, 'all that was listed before');
    requireNotOlder(`${name} by its snapshot`, now.version, old.version);
  }
  requireFresh(snapshot, atMs, file);
  return snapshot;
}

/** What the snapshot says of the metadata of a role. @throws update/metadata-invalid */
export function describedRole(
  snapshot: SnapshotMetadata,
  role: string,
): SnapshotMetadata['signed']['meta'][string] {
  const name = `${role}.json`;
  const { meta } = snapshot.signed;
  const described = Object.hasOwn(meta, name) ? meta[name] : undefined;
  if (!described) throw invalid('snapshot.json', `no ${name}`, 'every role that is delegated to');
  return described;
}

/**
 * 5.6: the metadata of a role with targets, by the snapshot and by the role above it.
 * @throws update/metadata-invalid, update/metadata-unsigned, update/metadata-expired
 */
export function newTargets(
  above: RootMetadata | TargetsMetadata,
  snapshot: SnapshotMetadata,
  role: string,
  bytes: Uint8Array,
  atMs: number,
): TargetsMetadata {
  const file = `${role}.json`;
  const described = describedRole(snapshot, role);
  requireDescribed(() => described.verify(Buffer.from(bytes)), file);
  const targets = parseMetadata('targets', bytes, file);
  requireSigned(above, role, targets, file);
  const { version } = targets.signed;
  if (version !== described.version) throw invalid(file, `version ${version}`, `${described.version}`);
  requireFresh(targets, atMs, file);
  return targets;
}

function requireDescribed(verify: () => void, file: string): void {
  try {
    verify();
  } catch (reason) {
    throw invalid(file, messageOf(reason).slice(0, 200), 'the length and hashes that were signed');
  }
}
