import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { REPOSITORY, REPOSITORY_LIMITS } from '@plinth/updates';
import {
  Metadata,
  MetadataKind,
  type MetaFile,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from '@tufjs/models';
import { rootFileName } from '../keys/trusted-root.ts';
import { readLimited } from './read-limited.ts';

/** A signed document with the bytes it was read from. */
export interface Stored<T extends Root | Snapshot | Targets | Timestamp> {
  readonly metadata: Metadata<T>;
  readonly bytes: Uint8Array;
}

/** What a repository says now; nothing of it is believed yet, see verifyRepository. */
export interface StoredRepository {
  /** Newest version of root in the folder. */
  readonly rootVersion: number;
  readonly timestamp: Stored<Timestamp>;
  readonly snapshot: Stored<Snapshot>;
  readonly targets: Stored<Targets>;
  readonly images: Stored<Targets>;
}

/** The documents below root, each with whether its file name carries its version. */
export const METADATA_FILES = { targets: true, images: true, snapshot: true, timestamp: false } as const;

const TIMESTAMP_FILE = metadataFile('timestamp', 0);

/** metadataFile is the name of a document below `metadata/`. */
export function metadataFile(role: keyof typeof METADATA_FILES, version: number): string {
  return METADATA_FILES[role] ? `${version}.${role}.json` : `${role}.json`;
}

/**
 * loadRepository reads the metadata that the timestamp leads to; undefined when the folder holds no repository yet. Files of a
 * publication that was cut short are not looked at, since nothing refers to them.
 * @throws publish/repository-invalid, host/io
 */
export async function loadRepository(repoDir: string): Promise<StoredRepository | undefined> {
  const folder = join(repoDir, REPOSITORY.metadata);
  const timestampBytes = await readIfThere(join(folder, TIMESTAMP_FILE));
  if (!timestampBytes) return undefined;
  const timestamp = parse(TIMESTAMP_FILE, timestampBytes, (json) =>
    Metadata.fromJSON(MetadataKind.Timestamp, json),
  );
  const snapshotName = metadataFile('snapshot', timestamp.signed.snapshotMeta.version);
  const snapshotBytes = await readMetadata(folder, snapshotName);
  const snapshot = parse(snapshotName, snapshotBytes, (json) =>
    Metadata.fromJSON(MetadataKind.Snapshot, json),
  );
  requireMatch(snapshotName, snapshotBytes, timestamp.signed.snapshotMeta);
  const readTargets = async (role: 'targets' | 'images'): Promise<Stored<Targets>> => {
    const meta = snapshot.signed.meta[`${role}.json`];
    if (!meta) throw invalid(snapshotName, `it does not name ${role}.json`);
    const name = metadataFile(role, meta.version);
    const bytes = await readMetadata(folder, name);
    requireMatch(name, bytes, meta);
    return { bytes, metadata: parse(name, bytes, (json) => Metadata.fromJSON(MetadataKind.Targets, json)) };
  };
  return {
    rootVersion: await newestRoot(folder),
    timestamp: { metadata: timestamp, bytes: timestampBytes },
    snapshot: { metadata: snapshot, bytes: snapshotBytes },
    targets: await readTargets('targets'),
    images: await readTargets('images'),
  };
}

/** readRepositoryRoot reads one version of root of a repository. @throws publish/repository-invalid, host/io */
export async function readRepositoryRoot(repoDir: string, version: number): Promise<Stored<Root>> {
  const name = rootFileName(version);
  const bytes = await readMetadata(join(repoDir, REPOSITORY.metadata), name);
  return { bytes, metadata: parseRoot(name, bytes) };
}

/** parseRoot reads a root document. @throws publish/repository-invalid */
export function parseRoot(name: string, bytes: Uint8Array): Metadata<Root> {
  return parse(name, bytes, (json) => Metadata.fromJSON(MetadataKind.Root, json));
}

type JsonObject = ReturnType<Metadata<Root>['toJSON']>;

function parse<T>(name: string, bytes: Uint8Array, read: (json: JsonObject) => T): T {
  try {
    // fromJSON checks every member itself; what is no object it refuses too.
    return read(JSON.parse(Buffer.from(bytes).toString('utf8')) as JsonObject);
  } catch (reason) {
    throw invalid(name, 'it is damaged', reason);
  }
}

/** @throws publish/repository-invalid when the bytes are not those that the document above names */
function requireMatch(name: string, bytes: Uint8Array, meta: MetaFile): void {
  try {
    meta.verify(Buffer.from(bytes));
  } catch (reason) {
    throw invalid(name, 'it is another one than the metadata above it name', reason);
  }
}

async function newestRoot(folder: string): Promise<number> {
  const names = await readdir(folder).catch((reason) => Promise.reject(ioError(reason, `list ${folder}`)));
  const versions = names.map((name) => Number(/^([1-9]\d*)\.root\.json$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...versions);
}

async function readMetadata(folder: string, name: string): Promise<Uint8Array> {
  const bytes = await readIfThere(join(folder, name));
  if (!bytes) throw invalid(name, 'it is not there');
  return bytes;
}

function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return readLimited(path, REPOSITORY_LIMITS.metadataBytes, 'publish/repository-invalid');
}

function invalid(name: string, state: string, cause?: unknown): PlinthError {
  return new PlinthError(
    'publish/repository-invalid',
    `Cannot use the metadata ${name}: ${state}, expected what "plinth release publish" wrote`,
    cause === undefined ? {} : { cause },
  );
}
