import type { CheckedStatement } from './evidence.ts';

/** Where a fact of the inventory was read. */
export type FactSource =
  | 'manifest'
  | 'lock'
  | 'spdx'
  | 'cyclonedx'
  | 'dpkg-status'
  | 'packages-index'
  | 'go-build-info'
  | 'kernel-config'
  | 'module-list'
  | 'file-list'
  | 'vex';

/** Provenance of a fact: kind of source and its place, as `inputs` of the inventory lists it. */
export interface Provenance {
  readonly source: FactSource;
  /** Path or name of the document, as given by the user. */
  readonly locator: string;
}

/** A source package at a version, exactly as `Built-Using` writes it: "golang-1.24 (= 1.24.4-1)". */
export interface SourceVersion {
  readonly source: string;
  readonly version: string;
}

/** A Debian binary package in the image. */
export interface BinaryComponent {
  readonly name: string;
  readonly version: string;
  /** "amd64", "all"; empty when the source of the fact does not say. */
  readonly architecture: string;
  /** Source package and version as the package says; a signed kernel still names its signed source here. */
  readonly source: string;
  readonly sourceVersion: string;
  /** Sources compiled into it; what is true of them is true of this package. */
  readonly builtUsing: readonly SourceVersion[];
  readonly staticBuiltUsing: readonly SourceVersion[];
  /**
   * Whether its files are still in the image: `all`, `some`, `none`, or `unknown` when there is no list of files.
   * dpkg may say "installed" of what the image's maker deleted.
   */
  readonly filesPresent: 'all' | 'some' | 'none' | 'unknown';
  /** With `none`: the files that dpkg installed and that are gone, without papers. */
  readonly absentPaths?: readonly string[];
  readonly provenance: Provenance;
}

export interface GoModuleVersion {
  readonly path: string;
  /** "v1.2.3"; of the module really linked where a replacement applies. */
  readonly version: string;
}

/** A program compiled from Go. */
export interface GoProgram {
  /** Absolute path in the image, or the name where no path is known. */
  readonly path: string;
  /** Binary package that ships it. */
  readonly package?: string;
  /** "go1.26.1"; empty when not known. */
  readonly goVersion: string;
  readonly main?: GoModuleVersion;
  readonly modules: readonly GoModuleVersion[];
  /** False for builds that record no modules (Debian's GOPATH builds): then "no such module" means nothing. */
  readonly modulesRecorded: boolean;
  readonly provenance: Provenance;
}

/** A package of the npm registry inside the image. */
export interface NpmModule {
  readonly name: string;
  readonly version: string;
  readonly path?: string;
  readonly provenance: Provenance;
}

/** The kernel and what of it is really in the image. */
export interface KernelFacts {
  /** `uname -r`: "6.12.107+deb13-cloud-amd64". */
  readonly release: string;
  /** Binary package it came in. */
  readonly package?: string;
  /** "CONFIG_F2FS_FS" → "y", "m" or a value; a symbol that is off is not a key. Absent: not read. */
  readonly config?: Readonly<Record<string, string>>;
  /** Names of module files in the image, "nf_tables"; sorted. Absent: not read. */
  readonly modules?: readonly string[];
  /** Modules built into the kernel (modules.builtin). Absent: not read. */
  readonly builtin?: readonly string[];
  /** Modules denied by modprobe.d in the signed root. */
  readonly denied?: readonly string[];
  readonly provenance: Provenance;
}

export type SubjectKind = 'release' | 'layer' | 'lock' | 'root' | 'spdx' | 'cyclonedx';

/** What is in one image, as data. Everything a verdict is derived from, beside the feeds, is in here. */
export interface Inventory {
  readonly format: 1;
  readonly subject: {
    readonly kind: SubjectKind;
    readonly name: string;
    readonly version?: string;
    /** Debian's name of the architecture: "amd64". */
    readonly architecture: string;
    /** "debian 13", from os-release or from the packages; empty when not known. */
    readonly distribution: string;
    /** Debian's release name, "trixie": decides which suites hold fixes for it. Empty when not known. */
    readonly codename: string;
    /** dm-verity root hash of a release or layer. */
    readonly rootHash?: string;
    /** When it was made, ISO 8601. */
    readonly created?: string;
  };
  /** The documents this was read from. */
  readonly inputs: readonly {
    readonly locator: string;
    readonly sha256: string;
    readonly source: FactSource;
  }[];
  readonly binaries: readonly BinaryComponent[];
  readonly goPrograms: readonly GoProgram[];
  readonly npmModules: readonly NpmModule[];
  readonly kernel?: KernelFacts;
  /** All paths of the final file system, sorted. Absent: no list. */
  readonly files?: readonly string[];
  /** What is said of the image itself, as its build asked it. */
  readonly statements?: readonly CheckedStatement[];
  /** What this kind of subject does not tell, or only weaker: named in the report, never silent. */
  readonly gaps: readonly string[];
  /** Parts that are there and could not be read or compared with any feed: beside them nothing counts as clean. */
  readonly unread?: readonly string[];
}
