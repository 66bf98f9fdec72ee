import { hex, sha256 } from '@plinth/formats';
import { currentUpdateKeys, type UpdateKeyRing } from '@plinth/trust';
import { Snapshot, Targets, Timestamp } from '@tufjs/models';
import type { TargetList } from '../repository/plan-renewal.ts';
import { SPEC_VERSION } from './root-metadata.ts';
import { keyDocument } from './sign-metadata.ts';

/** Version and end of a document. */
export interface Edition {
  readonly version: number;
  /** As formatExpiry writes it. */
  readonly expires: string;
}

/** A metadata file as the document above it names it. */
export interface MetadataFile {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** makeTargets is the offline document: it vouches for nothing itself and hands everything to images. */
export function makeTargets(ring: UpdateKeyRing, edition: Edition): Targets {
  const keys = currentUpdateKeys(ring, 'images');
  return Targets.fromJSON({
    ...common(edition),
    targets: {},
    delegations: {
      keys: Object.fromEntries(keys.map((key) => [key.keyId, keyDocument(key)])),
      roles: [
        {
          name: 'images',
          keyids: keys.map(({ keyId }) => keyId),
          threshold: ring.thresholds.images,
          terminating: true,
          paths: ['*', 'channels/*'],
        },
      ],
    },
  });
}

/** makeImages vouches for release files and channels. */
export function makeImages(list: TargetList, edition: Edition): Targets {
  const names = Object.keys(list).sort();
  return Targets.fromJSON({
    ...common(edition),
    targets: Object.fromEntries(
      names.map((name) => {
        const { sizeBytes = 0, sha256: digest = '' } = list[name] ?? {};
        return [name, { length: sizeBytes, hashes: { sha256: digest } }];
      }),
    ),
  });
}

/** makeSnapshot says which targets and images belong together. */
export function makeSnapshot(targets: MetadataFile, images: MetadataFile, edition: Edition): Snapshot {
  return Snapshot.fromJSON({
    ...common(edition),
    meta: { 'images.json': metaOf(images), 'targets.json': metaOf(targets) },
  });
}

/** makeTimestamp says which snapshot is of today. */
export function makeTimestamp(snapshot: MetadataFile, edition: Edition): Timestamp {
  return Timestamp.fromJSON({ ...common(edition), meta: { 'snapshot.json': metaOf(snapshot) } });
}

function common({ version, expires }: Edition) {
  return { spec_version: SPEC_VERSION, version, expires };
}

function metaOf({ version, bytes }: MetadataFile) {
  return { version, length: bytes.length, hashes: { sha256: hex(sha256(bytes)) } };
}
