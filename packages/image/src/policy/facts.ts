import type { ElfFile } from '@plinth/formats';

/** What the rules must know of one file's content. Files that are neither program nor script have none. */
export type FileFacts =
  | { readonly kind: 'script' /** The line after "#!". */; readonly interpreter: string }
  | { readonly kind: 'unreadable-elf'; readonly problem: string }
  | {
      readonly kind: 'elf';
      readonly elf: ElfFile;
      /** Those of the policy's `contains` texts that the file holds. */
      readonly contains: readonly string[];
    };

/** Everything about a tree that its list of entries does not tell. Gathered once; the rules are pure over it. */
export interface TreeFacts {
  readonly files: ReadonlyMap<string, FileFacts>;
  /** File capabilities by path, in the words of getcap(8): "cap_net_raw=ep". */
  readonly capabilities: ReadonlyMap<string, string>;
  /** Paths whose owner on disk is not the builder, who stands for root. */
  readonly foreignOwned: ReadonlyMap<string, { readonly uid: number; readonly gid: number }>;
  /** Names of the packages the tree was made from. */
  readonly packages: readonly string[];
}
