/** The one architecture so far, in the spelling of systemd (UAPI.3 file names). */
export const ARCHITECTURE = 'x86-64';

export const SUMS_FILE = 'SHA256SUMS';
export const SUMS_SIGNATURE_FILE = 'SHA256SUMS.p7s';

/** Partitions whose blocks are compressed too: what nodes fetch in parts. */
export type PackedKind = Exclude<PartitionKind, 'root-verity-sig'>;

/** Ending of a partition that is compressed block by block, in place of ".raw". */
export const PACKED_SUFFIX = '.blocks.zst';

/** File names of one release, readable by stock systemd-sysupdate: name, version and architecture lead every one. */
export interface ReleaseNames {
  readonly uki: string;
  readonly manifest: string;
  readonly facts: string;
  readonly spdx: string;
  readonly cycloneDx: string;
  /** What is said of its flaws, as the image itself answered; absent where nothing is said. */
  readonly vex: string;
  readonly pcrs: string;
  /** What a boot measures, event by event. */
  readonly reference: string;
  readonly provenance: string;
  disk(format: string): string;
  /**
   * A partition of slot A by its kind, with the UUID it gets on the node (sysupdate.d, pattern `@u`). Not compressed:
   * systemd 257 would store a zstd file as it is, and single blocks can be fetched.
   */
  partition(kind: PartitionKind, uuid: string): string;
  /** Root or hash tree once more, compressed block by block (delta/block-pack.ts); no pattern of sysupdate.d takes them. */
  packed(kind: PackedKind, uuid: string): string;
}

export type PartitionKind = 'root' | 'root-verity' | 'root-verity-sig';

/** releaseNames gives the file names of a release. */
export function releaseNames(name: string, version: string): ReleaseNames {
  const prefix = `${name}_${version}_${ARCHITECTURE}`;
  return {
    uki: `${prefix}.efi`,
    manifest: `${prefix}.manifest.json`,
    facts: `${prefix}.facts.json`,
    spdx: `${prefix}.spdx.json`,
    cycloneDx: `${prefix}.cdx.json`,
    vex: `${prefix}.vex.json`,
    pcrs: `${prefix}.pcrs.json`,
    reference: `${prefix}.reference.json`,
    provenance: `${prefix}.provenance.json`,
    disk: (format) => `${prefix}.${format}`,
    partition: (kind, uuid) => `${prefix}.${kind}.${uuid}.raw`,
    packed: (kind, uuid) => `${prefix}.${kind}.${uuid}${PACKED_SUFFIX}`,
  };
}

const MEDIA_TYPES: readonly (readonly [suffix: string, mediaType: string])[] = [
  ['.spdx.json', 'application/spdx+json'],
  ['.cdx.json', 'application/vnd.cyclonedx+json'],
  ['.provenance.json', 'application/vnd.dsse.envelope.v1+json'],
  ['.json', 'application/json'],
  ['.raw.zst', 'application/vnd.efi.img+zstd'],
  ['.raw', 'application/vnd.efi.img'],
  ['.zst', 'application/zstd'],
  ['.efi', 'application/vnd.microsoft.portable-executable'],
  ['.qcow2', 'application/x-qemu-disk'],
  ['.vhd', 'application/x-vhd'],
  ['.vmdk', 'application/x-vmdk'],
  ['.tar.gz', 'application/gzip'],
];

/** mediaTypeOf names the type of a release file by its ending. */
export function mediaTypeOf(name: string): string {
  return MEDIA_TYPES.find(([suffix]) => name.endsWith(suffix))?.[1] ?? 'application/octet-stream';
}
