/** What the programs and libraries of an image import and contain; beside the inventory because it is large. */
export interface ProgramFacts {
  /**
   * Path of each ELF file with a dynamic section → what it loads and which symbols it imports, without versions.
   * Absent: the files were not read.
   */
  readonly elf?: ReadonlyMap<string, ElfImports>;
  /** Path of each Go program → names of all functions in it. A program that is not a key was not read. */
  readonly goFunctions?: ReadonlyMap<string, ReadonlySet<string>>;
  /** ELF files that could not be read: one of them may import anything. */
  readonly unread: readonly string[];
}

export interface ElfImports {
  /** DT_NEEDED: "libssl.so.3". */
  readonly needed: readonly string[];
  readonly symbols: ReadonlySet<string>;
  /** Whether it calls dlopen or dlsym: then it may use symbols that it does not import. */
  readonly loadsByName: boolean;
}
