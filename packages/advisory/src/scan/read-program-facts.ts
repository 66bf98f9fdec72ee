import { join } from 'node:path';
import { readBoundedBytes } from '../documents/read-file.ts';
import { type ProgramFacts, readPrograms, type VexStatement } from '../evidence/index.ts';
import type { PackageClaim } from '../feeds/feed-content.ts';
import type { Inventory } from '../model/index.ts';

const PROGRAM_LIMIT_BYTES = 512 * 1024 * 1024;
/** Where programs and libraries lie; anything else is loaded by name only. */
const ELF_PLACE = /^\/(?:usr\/)?(?:local\/)?(?:s?bin|lib|lib64|libexec|opt)\//;

/**
 * readProgramFacts reads the functions of Go programs and the imports of ELF files, where a claim or a statement asks
 * for them and the files are there: in a root. Papers of a release and SBOMs have no programs; then it gives undefined,
 * and such questions stay unanswered.
 * @throws host/io
 */
export async function readProgramFacts(
  inventory: Inventory,
  claims: readonly PackageClaim[],
  statements: readonly VexStatement[],
): Promise<ProgramFacts | undefined> {
  if (inventory.subject.kind !== 'root') return undefined;
  const wantsGo = claims.some(({ symbols }) => symbols !== undefined);
  return await readProgramsFor(inventory.subject.name, inventory, { statements, wantsGo });
}

/** readProgramsFor reads out of a root what statements ask of programs; undefined when nothing is asked. @throws host/io */
export async function readProgramsFor(
  root: string,
  { goPrograms, files = [] }: Inventory,
  asked: { readonly statements: readonly VexStatement[]; readonly wantsGo: boolean },
): Promise<ProgramFacts | undefined> {
  const asks = (kind: VexStatement['predicate']['kind']) =>
    asked.statements.some(({ predicate }) => predicate.kind === kind);
  const wantsGo = asked.wantsGo || asks('go-symbol-absent');
  const wantsElf = asks('symbol-not-imported');
  if (!wantsGo && !wantsElf) return undefined;
  return await readPrograms(wantsElf ? files.filter((path) => ELF_PLACE.test(path)) : [], {
    // What is too large, a link or no file at all counts as not read.
    read: (path) => readBoundedBytes(join(root, path), PROGRAM_LIMIT_BYTES).catch(() => undefined),
    goPrograms: wantsGo ? goPrograms.map(({ path }) => path) : [],
  });
}
