import { posix } from 'node:path';
import type { TreeEntry } from '../../types.ts';
import type { FileFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';
import { insideAny } from '../inside-any.ts';
import { matchesAny } from '../match-glob.ts';
import type { ForbiddenKind } from '../policy.ts';
import type { RuleInput } from './rule.ts';

/** Finds shells, interpreters, package managers and their like by name, by package, by library and by content. */
export function forbiddenPrograms({ tree, facts, policy }: RuleInput): Finding[] {
  const programs = tree.entries.filter(
    ({ kind, path }) => (kind === 'file' || kind === 'symlink') && insideAny(policy.execPaths, path),
  );
  return policy.forbidden.flatMap((kind) => {
    const byPackage = facts.packages
      .filter((name) => matchesAny(kind.packages, name))
      .map((name) => finding(kind, `package ${name}`, 'by the name of its package', name));
    const byPath = programs.flatMap((entry) => {
      const sign = signOf(kind, entry, facts.files.get(entry.path));
      return sign === undefined ? [] : [finding(kind, entry.path, sign, entry.owner)];
    });
    return [...byPackage, ...byPath];
  });
}

/** How the file gives itself away; undefined when it does not. A data file may be called anything. */
function signOf(kind: ForbiddenKind, entry: TreeEntry, content: FileFacts | undefined): string | undefined {
  const runnable = content !== undefined || entry.kind === 'symlink' || (entry.mode & 0o111) !== 0;
  if (runnable && matchesAny(kind.names, posix.basename(entry.path))) return 'by its name';
  if (content?.kind !== 'elf') return undefined;
  const library = content.elf.needed.find((needed) => matchesAny(kind.needs, needed));
  if (library !== undefined) return `because it needs ${library}`;
  const text = content.contains.find((found) => kind.contains.some((wanted) => wanted === found));
  return text === undefined ? undefined : `because it contains "${text}"`;
}

function finding(kind: ForbiddenKind, subject: string, sign: string, owner: string): Finding {
  return { rule: kind.rule, subject, package: owner, reason: `it is ${kind.what} ${sign}, expected none` };
}

/** forbiddenTexts lists every text the content of programs must be searched for. */
export function forbiddenTexts(kinds: readonly ForbiddenKind[]): string[] {
  return [...new Set(kinds.flatMap((kind) => kind.contains))];
}
