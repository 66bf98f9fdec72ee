import type { Finding } from '../finding.ts';
import { insideAny } from '../inside-any.ts';
import type { RuleInput } from './rule.ts';

/** Finds files that start with "#!" in the exec paths, whatever their mode: a mode is one chmod away. */
export function scripts({ tree, facts, policy }: RuleInput): Finding[] {
  return tree.entries.flatMap((entry): Finding[] => {
    const content = facts.files.get(entry.path);
    if (content?.kind !== 'script' || !insideAny(policy.execPaths, entry.path)) return [];
    const reason = `it is a script for "${content.interpreter}", expected no file that starts with "#!"`;
    return [{ rule: 'script', subject: entry.path, package: entry.owner, reason }];
  });
}
