import { PlinthError } from '@plinth/base';
import { VERITY_BLOCK_BYTES, veritySizeBytes } from '@plinth/formats';
import { type Manifest, PACKED_SUFFIX, REPOSITORY } from '@plinth/updates';

/** A file of a release as its signed manifest describes it. */
export interface ReleaseFile {
  /** Below the address of the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What of a release goes onto a node. */
export interface ReleaseFiles {
  readonly version: string;
  readonly rootHash: string;
  readonly root: ReleaseFile;
  /** Root and hash tree compressed block by block; a release may have neither. */
  readonly packedRoot?: ReleaseFile;
  readonly packedVerity?: ReleaseFile;
  readonly verity: ReleaseFile;
  readonly signature: ReleaseFile;
  readonly uki: ReleaseFile;
  /** Of all four: what a node without any of it would fetch. */
  readonly sizeBytes: number;
}

const UKI_LIMIT_BYTES = 256 * 1024 * 1024;
const ROOT_LIMIT_BYTES = 16 * 1024 * 1024 * 1024;

/**
 * releaseFiles finds the files in a manifest and checks that they fit together.
 * @throws update/release-invalid
 */
export function releaseFiles(manifest: Manifest): ReleaseFiles {
  const invalid = (state: string, expected: string) =>
    new PlinthError(
      'update/release-invalid',
      `Cannot use release ${manifest.version}: ${state}, expected ${expected}`,
    );
  const file = (name: string, limitBytes: number): ReleaseFile => {
    const found = manifest.artefacts.find((one) => one.name === name);
    if (!found) throw invalid(`its manifest does not describe ${name}`, 'all its files');
    const { sizeBytes, sha256 } = found;
    if (sizeBytes === 0 || sizeBytes > limitBytes)
      throw invalid(`${name} has ${sizeBytes} bytes`, `1 to ${limitBytes}`);
    return { path: `${REPOSITORY.targets}/${name}`, sizeBytes, sha256 };
  };
  const part = (type: string, limitBytes: number): ReleaseFile => {
    const artefact = manifest.partitions.find((one) => one.type === type && one.artefact)?.artefact;
    if (!artefact) throw invalid(`it has no ${type}`, 'root, hash tree and signature');
    return file(artefact.name, limitBytes);
  };
  const root = part('root-x86-64', ROOT_LIMIT_BYTES);
  const verity = part('root-x86-64-verity', ROOT_LIMIT_BYTES / 64);
  const signature = part('root-x86-64-verity-sig', 1024 * 1024);
  const uki = file(manifest.uki.name, UKI_LIMIT_BYTES);
  if (uki.sha256 !== manifest.uki.sha256) throw invalid('its UKI has two hashes', 'one');
  if (root.sizeBytes % VERITY_BLOCK_BYTES !== 0 || verity.sizeBytes !== veritySizeBytes(root.sizeBytes)) {
    throw invalid(
      `its hash tree has ${verity.sizeBytes} bytes`,
      `${veritySizeBytes(root.sizeBytes)} for its root`,
    );
  }
  const sizeBytes = [root, verity, signature, uki].reduce((sum, one) => sum + one.sizeBytes, 0);
  const { version, rootHash } = manifest;
  const packed = ({ path }: ReleaseFile): ReleaseFile | undefined => {
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.raw$/, PACKED_SUFFIX);
    return manifest.artefacts.some((one) => one.name === name) ? file(name, ROOT_LIMIT_BYTES) : undefined;
  };
  const [packedRoot, packedVerity] = [packed(root), packed(verity)];
  return {
    ...{ version, rootHash, root, verity, signature, uki, sizeBytes },
    ...(packedRoot && { packedRoot }),
    ...(packedVerity && { packedVerity }),
  };
}
