import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { hashFile, mapParallel } from '@plinth/host';
import {
  type Manifest,
  mediaTypeOf,
  parseManifest,
  REPOSITORY_LIMITS,
  releaseNames,
  SUMS_FILE,
  SUMS_SIGNATURE_FILE,
} from '@plinth/updates';
import { readLimited } from '../repository/read-limited.ts';

/** One file of a release as it is published. */
export interface ReleaseFile {
  /** Name in the repository; unique over all releases. */
  readonly name: string;
  readonly path: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A release folder whose files are what its manifest says. */
export interface ReleaseFiles {
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  readonly files: readonly ReleaseFile[];
}

/**
 * readReleaseFiles reads the manifest of a release folder and holds every file against it.
 * @throws release/not-found, release/manifest-invalid, publish/release-refused, host/io
 */
export async function readReleaseFiles(folder: string): Promise<ReleaseFiles> {
  const manifestName = await findManifestName(folder);
  const text = await readLimited(
    join(folder, manifestName),
    REPOSITORY_LIMITS.manifestBytes,
    'release/manifest-invalid',
  );
  if (!text) throw refused(folder, `${manifestName} is gone`);
  const manifest = parseManifest(text.toString('utf8'), manifestName);
  const names = releaseNames(manifest.name, manifest.version);
  if (manifestName !== names.manifest) {
    throw refused(folder, `its manifest is of ${manifest.name} ${manifest.version}, not of ${manifestName}`);
  }
  const { sums, sumsSignature } = sumsNames(manifest);
  // What describes the release is not in its list: the manifest cannot hold its own digest.
  const papers = [
    [manifestName, manifestName],
    [names.provenance, names.provenance],
    [SUMS_FILE, sums],
    [SUMS_SIGNATURE_FILE, sumsSignature],
  ] as const;
  const described = await mapParallel(papers, 2, ([file, name]) => describe(join(folder, file), name));
  const listed = await mapParallel(manifest.artefacts, 2, async (artefact) => {
    const found = await describe(join(folder, artefact.name), artefact.name);
    if (found.sha256 === artefact.sha256 && found.sizeBytes === artefact.sizeBytes) return found;
    throw refused(folder, `${artefact.name} is not the file that the manifest names`);
  });
  const manifestSha256 = described.find(({ name }) => name === manifestName)?.sha256 ?? '';
  return { manifest, manifestSha256, files: [...listed, ...described] };
}

/** sumsNames gives the names under which the checksums of a release lie beside those of others. */
function sumsNames({ name, version, architecture }: Pick<Manifest, 'name' | 'version' | 'architecture'>) {
  const prefix = `${name}_${version}_${architecture}`;
  return { sums: `${prefix}.${SUMS_FILE}`, sumsSignature: `${prefix}.${SUMS_SIGNATURE_FILE}` };
}

async function findManifestName(folder: string): Promise<string> {
  const names = await readdir(folder).catch((reason: unknown) => {
    throw PlinthError.from(reason, 'release/not-found', `Cannot look into ${folder}`);
  });
  const found = names.filter((name) => name.endsWith('.manifest.json'));
  const [name] = found;
  if (name !== undefined && found.length === 1) return name;
  throw new PlinthError(
    'release/not-found',
    `Cannot publish ${folder}: it has ${found.length} manifests, expected a release folder with one`,
  );
}

async function describe(path: string, name: string): Promise<ReleaseFile> {
  const digest = await hashFile(path);
  return { name, path, mediaType: mediaTypeOf(name), ...digest };
}

function refused(folder: string, state: string): PlinthError {
  return new PlinthError(
    'publish/release-refused',
    `Cannot publish ${folder}: ${state}, expected a whole release`,
  );
}
