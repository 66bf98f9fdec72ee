import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashText } from '@plinth/host';
import {
  ARCHITECTURE,
  BOOT_CHAIN,
  formatManifest,
  type Manifest,
  mediaTypeOf,
  releaseNames,
  SUMS_FILE,
  SUMS_SIGNATURE_FILE,
} from '@plinth/updates';

/** What a sample is like. */
export interface SampleFilesOptions {
  readonly version: string;
  /** Bytes of the root partition; default: small ones that depend on the version. */
  readonly root?: Uint8Array;
  readonly name?: string;
}

/**
 * writeSampleFiles writes a release folder with a true manifest over small files that nothing boots: enough for whoever carries
 * releases about and does not look into them. The release package makes real ones (image).
 */
export async function writeSampleFiles(
  folder: string,
  { version, root = Buffer.alloc(200_000, `root of ${version} `), name = 'plinth' }: SampleFilesOptions,
): Promise<Manifest> {
  await mkdir(folder, { recursive: true });
  const names = releaseNames(name, version);
  const rootHash = hashText(root);
  const uuid = '6b8a7f36-0000-4000-8000-000000000000';
  const files: readonly (readonly [string, Uint8Array])[] = [
    [names.uki, Buffer.from(`kernel of ${version}`)],
    [names.partition('root', uuid), root],
    [names.partition('root-verity', uuid), Buffer.alloc(4096, 't')],
    [names.partition('root-verity-sig', uuid), Buffer.alloc(4096, 's')],
    [names.spdx, Buffer.from('{"spdxVersion":"SPDX-2.3"}')],
    [names.cycloneDx, Buffer.from('{"bomFormat":"CycloneDX"}')],
    [names.facts, Buffer.from('{}')],
    [names.pcrs, Buffer.from('{}')],
  ];
  const artefacts = files.map(([file, bytes]) => ({
    name: file,
    mediaType: mediaTypeOf(file),
    sizeBytes: bytes.length,
    sha256: hashText(bytes),
  }));
  const manifest: Manifest = {
    format: 1,
    name,
    version,
    architecture: ARCHITECTURE,
    created: '2026-11-22T00:00:00Z',
    rootHash,
    kernel: { version: '6.12.0-sample', commandLine: `roothash=${rootHash}` },
    agent: { version: '0.1.0' },
    packages: { count: 0, lockSha256: hashText('lock') },
    disk: { uuid, sizeBytes: 0 },
    partitions: [],
    uki: { name: names.uki, sha256: hashText(`kernel of ${version}`), authenticodeSha256: hashText('uki') },
    bootLoader: { sha256: hashText('loader'), authenticodeSha256: hashText('loader') },
    pcrs: {},
    certificates: [],
    chain: BOOT_CHAIN,
    artefacts,
  };
  const text = formatManifest(manifest);
  const provenance = '{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}';
  for (const [file, bytes] of files) await writeFile(join(folder, file), bytes);
  await writeFile(join(folder, names.manifest), text);
  await writeFile(join(folder, names.provenance), provenance);
  const sums = [
    ...artefacts.map(({ name: file, sha256 }) => `${sha256}  ${file}\n`),
    `${hashText(text)}  ${names.manifest}\n`,
    `${hashText(provenance)}  ${names.provenance}\n`,
  ];
  await writeFile(join(folder, SUMS_FILE), sums.sort().join(''));
  await writeFile(join(folder, SUMS_SIGNATURE_FILE), 'a sample is not signed');
  return manifest;
}
