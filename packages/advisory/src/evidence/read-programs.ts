import { PlinthError } from '@plinth/base';
import { readElf, readGoFunctions, readImportedSymbols } from '@plinth/formats';
import type { ElfImports, ProgramFacts } from './program-facts.ts';

export interface ReadProgramsOptions {
  /** Gives the bytes of a file of the image, bounded by the caller; undefined: too large or not readable. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
  /** Go programs whose functions are wanted; their names take some megabytes each. Default: none. */
  readonly goPrograms?: readonly string[];
}

/** Asking for a symbol by its name at run time. */
const BY_NAME = ['dlsym', 'dlvsym', 'dlopen', 'dlmopen'];

/**
 * readPrograms reads what the ELF files among `paths` import, and which functions the named Go programs contain. A file
 * that cannot be read is listed as such, never left out in silence; one that is no ELF file is.
 */
export async function readPrograms(
  paths: readonly string[],
  { read, goPrograms = [] }: ReadProgramsOptions,
): Promise<ProgramFacts> {
  const elf = new Map<string, ElfImports>();
  const goFunctions = new Map<string, ReadonlySet<string>>();
  const unread: string[] = [];
  const wanted = new Set(goPrograms);
  for (const path of new Set([...paths, ...goPrograms])) {
    const bytes = await read(path);
    if (!bytes) {
      unread.push(path);
      continue;
    }
    try {
      const file = readElf(bytes, path);
      if (!file) continue;
      const symbols = readImportedSymbols(bytes, path);
      if (symbols) {
        const loadsByName = BY_NAME.some((name) => symbols.has(name));
        elf.set(path, { needed: file.needed, symbols, loadsByName });
      }
      // A dynamic file without a table of symbols that could be found imports nobody knows what.
      else if (file.hasDynamic && file.needed.length > 0) unread.push(path);
      const functions = wanted.has(path) ? readGoFunctions(bytes, path) : undefined;
      if (functions) goFunctions.set(path, functions);
    } catch (reason) {
      if (!(reason instanceof PlinthError)) throw reason;
      unread.push(path);
    }
  }
  return { elf, goFunctions, unread };
}
