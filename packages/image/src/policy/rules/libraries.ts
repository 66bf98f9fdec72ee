import { posix } from 'node:path';
import type { ElfFile } from '@plinth/formats';
import type { Finding } from '../finding.ts';
import { matchGlob } from '../match-glob.ts';
import type { RuleInput } from './rule.ts';

/** Finds programs and libraries of which a needed or, by their own notes, a wanted library is not in the tree. */
export function libraries(input: RuleInput): Finding[] {
  const users = usersOfLibraries(input);
  return input.tree.entries.flatMap((entry): Finding[] => {
    const content = input.facts.files.get(entry.path);
    const about = { subject: entry.path, package: entry.owner };
    if (content?.kind === 'unreadable-elf') {
      const reason = `${content.problem}, expected a file whose needs can be read`;
      return [{ rule: 'elf-unreadable', ...about, reason }];
    }
    if (content?.kind !== 'elf') return [];
    const { elf } = content;
    return [
      ...missingLoader(input, elf).map((reason) => ({ rule: 'library-missing' as const, ...about, reason })),
      ...elf.needed
        .filter((name) => !findLibrary(input, entry.path, elf, name))
        .filter((name) => !isLoadedBefore(input, users.get(entry.path) ?? [], name))
        .map((name) => ({
          rule: 'library-missing' as const,
          ...about,
          reason: `it needs ${name}, which no library folder holds, expected the library in the tree`,
        })),
      ...missingDlopen(input, entry.path, elf).map((reason) => ({
        rule: 'dlopen-missing' as const,
        ...about,
        reason,
      })),
    ];
  });
}

function missingLoader({ index }: RuleInput, { interpreter }: ElfFile): string[] {
  if (interpreter === undefined || index.resolve(interpreter) !== undefined) return [];
  return [`its loader ${interpreter} is not in the tree, expected it there`];
}

/** UAPI.12: "required" and "recommended" libraries belong in; "suggested" ones are for those who want them. */
function missingDlopen(input: RuleInput, path: string, elf: ElfFile): string[] {
  return elf.dlopen.flatMap(({ feature, sonames, priority }) => {
    if (priority === 'suggested' || sonames.some((name) => findLibrary(input, path, elf, name))) return [];
    const accepted = input.policy.dlopenWithout.some(
      (exception) =>
        (exception.feature !== undefined && exception.feature === feature) ||
        (exception.soname !== undefined && sonames.some((name) => matchGlob(exception.soname ?? '', name))),
    );
    if (accepted) return [];
    const wanted = `${priority} for feature "${feature ?? 'without a name'}"`;
    return [`${sonames.join(' or ')} (${wanted}) is not in the tree, expected it or an exception`];
  });
}

/** ld.so(8): a name with a slash is a path; else the file's runpath, then the system's library folders. */
function findLibrary(input: RuleInput, path: string, elf: ElfFile, name: string): string | undefined {
  if (name.includes('/')) return libraryAt(input, posix.resolve(posix.dirname(path), name), elf);
  const folders = [...elf.runpath.map((folder) => expandRunpath(folder, path)), ...input.policy.libraryPaths];
  for (const folder of folders) {
    const found = libraryAt(input, `${folder}/${name}`, elf);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A library for another machine is passed over by the loader. */
function libraryAt({ index, facts }: RuleInput, path: string, elf: ElfFile): string | undefined {
  const resolved = index.resolve(path);
  const content = resolved === undefined ? undefined : facts.files.get(resolved);
  if (resolved === undefined || content?.kind !== 'elf') return undefined;
  return content.elf.machine === elf.machine && content.elf.bits === elf.bits ? resolved : undefined;
}

interface LibraryUser {
  readonly path: string;
  readonly elf: ElfFile;
}

/** Who loads a library, by the library's path. */
function usersOfLibraries(input: RuleInput): Map<string, LibraryUser[]> {
  const users = new Map<string, LibraryUser[]>();
  for (const [path, content] of input.facts.files) {
    if (content.kind !== 'elf') continue;
    for (const name of content.elf.needed) {
      const library = findLibrary(input, path, content.elf, name);
      if (library === undefined) continue;
      const known = users.get(library);
      if (known) known.push({ path, elf: content.elf });
      else users.set(library, [{ path, elf: content.elf }]);
    }
  }
  return users;
}

/**
 * A private library may need another one of its folder without a runpath of its own: the loader goes breadth first,
 * so what all its users need and find themselves is loaded by then, and is not looked for again.
 */
function isLoadedBefore(input: RuleInput, users: readonly LibraryUser[], name: string): boolean {
  return (
    users.length > 0 &&
    users.every(
      ({ path, elf }) => elf.needed.includes(name) && findLibrary(input, path, elf, name) !== undefined,
    )
  );
}

/** Dynamic string tokens of ld.so(8). Debian's $LIB is the multiarch folder. */
function expandRunpath(folder: string, path: string): string {
  return folder
    .replaceAll(/\$ORIGIN|\$\{ORIGIN\}/g, posix.dirname(path))
    .replaceAll(/\$LIB\b|\$\{LIB\}/g, 'lib/x86_64-linux-gnu')
    .replaceAll(/\$PLATFORM\b|\$\{PLATFORM\}/g, 'x86_64');
}
