import type { Progress } from '@plinth/base';
import type { Lock } from '@plinth/debian';
import type { Toolbox } from '@plinth/toolbox';
import type { Certificate, Signer } from '@plinth/trust';
import type { Manifest, ReleaseNames } from '@plinth/updates';
import type { AgentModules } from './agent-modules.ts';
import type { DiskFormat } from './disk/convert-disk.ts';
import type { DiskLayout } from './disk/disk-layout.ts';
import type { FileReader } from './disk/file-reader.ts';
import type { SlotPart } from './disk/split-slot.ts';
import type { SecureBootKeys } from './secure-boot-keys.ts';

/** Everything a release is written from; all of it was made by the build. */
export interface ReleaseInputs {
  readonly name: string;
  readonly version: string;
  readonly prettyName: string;
  readonly epochSeconds: number;
  readonly rootHash: string;
  readonly diskPath: string;
  readonly ukiPath: string;
  readonly lock: Lock;
  readonly lockSha256: string;
  /** The tree the root was made from, and the package each of its paths came from. */
  readonly treeDir: string;
  readonly owners: ReadonlyMap<string, string>;
  /** SPDX expressions of packages by name, as far as they are known. */
  readonly licences: ReadonlyMap<string, string>;
  readonly kernel: {
    readonly release: string;
    readonly package: string;
    /** Text of its .config. */
    readonly config: string;
  };
  readonly agent: { readonly version: string; readonly path: string; readonly contents: AgentModules };
  /** Values to expect, by PCR and then by case or boot phase; hex. */
  readonly pcrs: Manifest['pcrs'];
  /** Keys of the machines it is for; without them the release has no reference values for attestation. */
  readonly secureBoot?: SecureBootKeys;
  readonly certificates: Readonly<Record<'boot' | 'verity' | 'pcr' | 'release', Certificate>>;
  /** Signs provenance and checksums. */
  readonly signer: Signer;
  readonly formats: readonly DiskFormat[];
  readonly commit?: string;
}

export interface WriteOptions {
  readonly toolbox: Toolbox;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** What the steps of writing a release share. */
export interface ReleaseContext {
  readonly inputs: ReleaseInputs;
  readonly folder: string;
  readonly options: WriteOptions;
  readonly disk: FileReader;
  readonly layout: DiskLayout;
  /** The published parts of slot A. */
  readonly parts: readonly SlotPart[];
  readonly names: ReleaseNames;
}
