import type { Inventory, PredicateOutcome } from '../model/index.ts';
import type { ProgramFacts } from './program-facts.ts';

/**
 * symbolNotImported asks whether no ELF file of the image imports any of the symbols. A program that loads libraries by
 * name, and is linked with the library, may use a symbol it does not import: then it is unknown.
 * @param library as programs name it, "libssl.so.3"; files that define the symbols themselves are the library's own
 */
export function symbolNotImported(
  library: string,
  symbols: readonly string[],
  programs: ProgramFacts | undefined,
): PredicateOutcome {
  if (symbols.length === 0) return { holds: 'unknown', detail: 'the predicate names no symbol' };
  if (!programs?.elf || programs.elf.size === 0) {
    return { holds: 'unknown', detail: 'the programs of the image were not read' };
  }
  for (const [path, file] of programs.elf) {
    const used = symbols.find((symbol) => file.symbols.has(symbol));
    if (used !== undefined) return { holds: 'no', detail: `${path} imports ${used}` };
  }
  const [unread] = programs.unread;
  if (unread !== undefined) return { holds: 'unknown', detail: `${unread} could not be read` };
  for (const [path, file] of programs.elf) {
    if (file.loadsByName && file.needed.includes(library)) {
      return { holds: 'unknown', detail: `${path} is linked with ${library} and looks symbols up by name` };
    }
  }
  const list = symbols.slice(0, 3).join(', ');
  return {
    holds: 'yes',
    detail: `none of ${programs.elf.size} programs and libraries imports ${list} of ${library}`,
  };
}

/** goSymbolAbsent asks whether none of the functions ("net/http.(*Server).Serve") is linked into the Go programs. */
export function goSymbolAbsent(
  paths: readonly string[],
  symbols: readonly string[],
  inventory: Inventory,
  programs: ProgramFacts | undefined,
): PredicateOutcome {
  if (symbols.length === 0 || paths.length === 0) {
    return { holds: 'unknown', detail: 'the predicate names no program or no function' };
  }
  for (const path of paths) {
    const functions = programs?.goFunctions?.get(path);
    if (!functions) {
      // A program that is gone has no functions; one that was not read may have all of them.
      if (isGone(path, inventory)) continue;
      return { holds: 'unknown', detail: `the functions of ${path} were not read` };
    }
    const found = symbols.find((symbol) => functions.has(symbol) || hasGeneric(functions, symbol));
    if (found !== undefined) return { holds: 'no', detail: `${path} contains ${found}` };
  }
  return { holds: 'yes', detail: `${paths.join(', ')} contain none of ${symbols.slice(0, 3).join(', ')}` };
}

/** Only a whole path that is neither among the files nor among the programs is surely not there; a bare name may be anywhere. */
function isGone(path: string, { files, goPrograms }: Inventory): boolean {
  if (!path.startsWith('/') || !files || files.length === 0) return false;
  return !files.includes(path) && !goPrograms.some((program) => program.path === path);
}

/** Instances of a generic function are named "pkg.Func[…]"; closures "pkg.Func.func1". */
function hasGeneric(functions: ReadonlySet<string>, symbol: string): boolean {
  for (const name of functions) {
    if (name.startsWith(`${symbol}[`) || name.startsWith(`${symbol}.func`)) return true;
  }
  return false;
}
