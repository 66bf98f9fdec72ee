import type { EntryKind } from '../../types.ts';
import type { Finding } from '../finding.ts';
import { matchGlob } from '../match-glob.ts';
import { linkTarget } from '../tree-index.ts';
import type { RuleInput } from './rule.ts';

const WRITABLE_BY_ALL = 0o002;
const STICKY = 0o1000;

const specialKinds: Partial<Record<EntryKind, string>> = {
  char: 'a character device',
  block: 'a block device',
  fifo: 'a named pipe',
  socket: 'a socket',
};

/** Finds device nodes, sockets and pipes. */
export function specialFiles({ tree }: RuleInput): Finding[] {
  return tree.entries.flatMap((entry): Finding[] => {
    const what = specialKinds[entry.kind];
    if (what === undefined) return [];
    const reason = `it is ${what}, expected files, folders and links only`;
    return [{ rule: 'special-file', subject: entry.path, package: entry.owner, reason }];
  });
}

/** Finds what everyone may write; a sticky folder such as /tmp is meant to be. */
export function worldWritable({ tree }: RuleInput): Finding[] {
  return tree.entries.flatMap((entry): Finding[] => {
    // A link's mode means nothing (symlink(7)).
    if (entry.kind === 'symlink' || (entry.mode & WRITABLE_BY_ALL) === 0) return [];
    if (entry.kind === 'dir' && (entry.mode & STICKY) !== 0) return [];
    const reason = `its mode is ${entry.mode.toString(8).padStart(4, '0')}, expected one not writable by all`;
    return [{ rule: 'world-writable', subject: entry.path, package: entry.owner, reason }];
  });
}

/** Finds links that lead nowhere, unless their target is made at run time. */
export function danglingLinks({ tree, index, policy }: RuleInput): Finding[] {
  return tree.entries.flatMap((entry): Finding[] => {
    if (entry.kind !== 'symlink' || index.resolve(entry.path) !== undefined) return [];
    const target = linkTarget(entry);
    const allowed = policy.danglingLinks.some(
      (exception) =>
        (exception.path !== undefined && matchGlob(exception.path, entry.path)) ||
        (exception.target !== undefined && matchGlob(exception.target, target)),
    );
    if (allowed) return [];
    const reason = `it points to ${entry.target}, which is not in the tree, expected a target that is`;
    return [{ rule: 'dangling-link', subject: entry.path, package: entry.owner, reason }];
  });
}

/** Finds what does not belong to the builder, who stands for root. */
export function foreignOwners({ tree, facts }: RuleInput): Finding[] {
  return tree.entries.flatMap((entry): Finding[] => {
    const owner = facts.foreignOwned.get(entry.path);
    if (!owner) return [];
    const reason = `it belongs to ${owner.uid}:${owner.gid}, expected root`;
    return [{ rule: 'foreign-owner', subject: entry.path, package: entry.owner, reason }];
  });
}

/** Counts packages. */
export function packageCount({ facts, policy }: RuleInput): Finding[] {
  const { max } = policy.packages;
  if (facts.packages.length <= max) return [];
  const reason = `there are ${facts.packages.length}, expected at most ${max}`;
  return [{ rule: 'package-count', subject: 'packages', reason }];
}
