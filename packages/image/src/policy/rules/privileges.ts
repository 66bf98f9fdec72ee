import type { Finding } from '../finding.ts';
import type { RuleInput } from './rule.ts';

const SETUID = 0o4000;
const SETGID = 0o2000;

/** Finds files that give their caller more rights than it has: setuid, setgid, file capabilities. */
export function privileges({ tree, facts, policy }: RuleInput): Finding[] {
  return tree.entries.flatMap((entry) => {
    const findings: Finding[] = [];
    const about = { subject: entry.path, package: entry.owner };
    // On a folder, setgid only says which group new files get.
    const special = entry.kind === 'file' ? entry.mode & (SETUID | SETGID) : 0;
    if (special !== 0 && !policy.setuid.some(({ path }) => path === entry.path)) {
      const bits = [special & SETUID ? 'setuid' : '', special & SETGID ? 'setgid' : ''].filter(Boolean);
      const reason = `it is ${bits.join(' and ')} (mode ${octal(entry.mode)}), expected a plain mode`;
      findings.push({ rule: 'setuid', ...about, reason });
    }
    const capabilities = facts.capabilities.get(entry.path);
    const allowed = policy.capabilities.find(({ path }) => path === entry.path)?.capabilities;
    if (capabilities !== undefined && capabilities !== allowed) {
      const reason = `it carries ${capabilities}, expected ${allowed ?? 'no capabilities'}`;
      findings.push({ rule: 'capability', ...about, reason });
    }
    return findings;
  });
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
