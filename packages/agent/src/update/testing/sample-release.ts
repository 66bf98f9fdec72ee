import { hash } from 'node:crypto';
import { VERITY_BLOCK_BYTES as BLOCK, hexUuid, makeVerity, memoryReader } from '@plinth/formats';
import {
  ARCHITECTURE,
  channelFile,
  channelTarget,
  formatChannel,
  formatManifest,
  openBlockPacker,
  releaseNames,
} from '@plinth/updates';
import type { SampleRepository } from './sample-repository.ts';

/** A release in memory: what a slot and the ESP get. */
export interface SampleRelease {
  readonly version: string;
  readonly rootHash: string;
  readonly root: Uint8Array;
  readonly verity: Uint8Array;
  readonly signature: Uint8Array;
  readonly uki: Uint8Array;
  /** Root and hash tree compressed block by block. */
  readonly packedRoot?: Uint8Array;
  readonly packedVerity?: Uint8Array;
}

const SALT = new Uint8Array(32).fill(7);
const SIGNATURE_BYTES = 16 * 1024;

/** sampleBlocks makes data of which each block is named: the same name, the same block. */
export function sampleBlocks(names: readonly (string | number)[]): Uint8Array {
  const data = Buffer.alloc(names.length * BLOCK);
  for (const [index, name] of names.entries()) {
    data.fill(hash('sha256', `block ${name}`, 'buffer'), index * BLOCK, (index + 1) * BLOCK);
  }
  return data;
}

/** sampleRelease makes hash tree, signature and UKI for a root. */
export async function sampleRelease(
  version: string,
  root: Uint8Array,
  options: { readonly salt?: Uint8Array; readonly ukiBytes?: number; readonly packed?: boolean } = {},
): Promise<SampleRelease> {
  const { salt = SALT, ukiBytes = 96 * 1024 } = options;
  const { bytes: verity, rootHash } = await makeVerity(memoryReader(root), {
    salt,
    uuid: '6c1ba2e2-6f7e-4c7d-9d3a-0b6a9fd0a001',
  });
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  signature.write(JSON.stringify({ rootHash, signature: hash('sha256', rootHash, 'base64') }));
  const uki = sampleUki(version, ukiBytes);
  const packed = options.packed ? { packedRoot: packAll(root), packedVerity: packAll(verity) } : {};
  return { version, rootHash, root, verity, signature, uki, ...packed };
}

function packAll(root: Uint8Array): Uint8Array {
  const packer = openBlockPacker();
  const frames = Array.from({ length: root.length / BLOCK }, (_, block) =>
    packer.add(root.subarray(block * BLOCK, (block + 1) * BLOCK)),
  );
  return Buffer.concat([...frames, packer.end()]);
}

/** sampleUki is a file with the headers of a PE file with two sections, and no sense in them. */
export function sampleUki(version: string, sizeBytes: number): Uint8Array {
  const file = Buffer.alloc(sizeBytes);
  // The kernel is the same in all, as it mostly is; the command line is not.
  for (let at = 4096; at < sizeBytes; at += 64) file.write(`${at < 8192 ? version : 'kernel'} ${at};`, at);
  const [pe, optionalBytes] = [64, 240];
  const kernelBytes = Math.floor((sizeBytes - 8192) / 512) * 512;
  file.writeUInt16LE(0x5a4d, 0);
  file.writeUInt32LE(pe, 0x3c);
  file.writeUInt32LE(0x4550, pe);
  file.writeUInt16LE(2, pe + 6);
  file.writeUInt16LE(optionalBytes, pe + 20);
  file.writeUInt16LE(0x20b, pe + 24);
  file.writeUInt32LE(4096, pe + 24 + 60);
  file.writeUInt32LE(16, pe + 24 + 108);
  const sections: readonly (readonly [string, number, number])[] = [
    ['.cmdline', 4096, 4096],
    ['.linux', 8192, kernelBytes],
  ];
  for (const [index, [name, offset, size]] of sections.entries()) {
    const at = pe + 24 + optionalBytes + index * 40;
    file.write(name, at, 'latin1');
    file.writeUInt32LE(size, at + 8);
    file.writeUInt32LE(size, at + 16);
    file.writeUInt32LE(offset, at + 20);
  }
  return file;
}

/** publishReleases puts releases and a channel that offers them into a repository, and signs. */
export function publishReleases(
  repository: SampleRepository,
  releases: readonly SampleRelease[],
  channelName = 'stable',
): void {
  const manifestOf = ({ version }: SampleRelease) => releaseNames('plinth', version).manifest;
  for (const release of releases) {
    for (const [name, bytes] of filesOf(release)) repository.put(name, bytes);
    repository.put(manifestOf(release), Buffer.from(manifestText(release)));
  }
  const text = Buffer.from(
    formatChannel({
      ...{ format: 1, name: 'plinth', channel: channelName, architecture: ARCHITECTURE },
      releases: releases.map((release) => ({ version: release.version, manifest: manifestOf(release) })),
      ...{ barriers: [], deadEnds: [], blocked: [] },
    }),
  );
  repository.put(channelTarget(channelName), text, channelFile(channelName, hash('sha256', text)));
  for (const role of ['timestamp', 'snapshot', 'images'] as const) repository.state.versions[role]++;
  repository.publish();
}

const SIGNATURE_UUID = '0f1e2d3c-4b5a-4697-8877-665544332211';

function parts({ version, rootHash, root, verity, signature }: SampleRelease) {
  const names = releaseNames('plinth', version);
  const [rootUuid, verityUuid] = [hexUuid(rootHash.slice(0, 32)), hexUuid(rootHash.slice(32))];
  return [
    { type: 'root-x86-64', uuid: rootUuid, name: names.partition('root', rootUuid), bytes: root },
    {
      type: 'root-x86-64-verity',
      uuid: verityUuid,
      name: names.partition('root-verity', verityUuid),
      bytes: verity,
    },
    {
      type: 'root-x86-64-verity-sig',
      uuid: SIGNATURE_UUID,
      name: names.partition('root-verity-sig', SIGNATURE_UUID),
      bytes: signature,
    },
  ];
}

function filesOf(release: SampleRelease): (readonly [string, Uint8Array])[] {
  const uki = releaseNames('plinth', release.version).uki;
  const { packedRoot, packedVerity, rootHash, version } = release;
  const names = releaseNames('plinth', version);
  const [rootName, verityName] = [
    names.packed('root', hexUuid(rootHash.slice(0, 32))),
    names.packed('root-verity', hexUuid(rootHash.slice(32))),
  ];
  return [
    ...parts(release).map(({ name, bytes }) => [name, bytes] as const),
    [uki, release.uki] as const,
    ...(packedRoot ? [[rootName, packedRoot] as const] : []),
    ...(packedVerity ? [[verityName, packedVerity] as const] : []),
  ];
}

function manifestText(release: SampleRelease): string {
  const { version, rootHash, uki } = release;
  const zeros = '0'.repeat(64);
  return formatManifest({
    ...{
      format: 1,
      name: 'plinth',
      version,
      architecture: ARCHITECTURE,
      created: '2026-11-22T00:00:00Z',
      rootHash,
    },
    kernel: { version: '6.12.0', commandLine: `roothash=${rootHash}` },
    agent: { version },
    packages: { count: 1, lockSha256: zeros },
    disk: { uuid: SIGNATURE_UUID, sizeBytes: 1024 },
    partitions: parts(release).map(({ type, uuid, name, bytes }, index) => ({
      ...{
        number: index + 2,
        label: `plinth_${version}`,
        uuid,
        type,
        offsetBytes: 0,
        sizeBytes: bytes.length,
      },
      artefact: { name, sizeBytes: bytes.length },
    })),
    uki: {
      name: releaseNames('plinth', version).uki,
      sha256: hash('sha256', uki),
      authenticodeSha256: zeros,
    },
    bootLoader: { sha256: zeros, authenticodeSha256: zeros },
    ...{ pcrs: {}, certificates: [], chain: [] },
    artefacts: filesOf(release).map(([name, bytes]) => ({
      ...{
        name,
        mediaType: 'application/octet-stream',
        sizeBytes: bytes.length,
        sha256: hash('sha256', bytes),
      },
    })),
  });
}
