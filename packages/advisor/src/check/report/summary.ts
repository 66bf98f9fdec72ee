import type { Severity } from '../rules/rule.ts';
import { severities } from '../rules/rule.ts';
import type { CheckResult, Finding } from './finding.ts';

/** openFindings are those that no waiver excuses. */
export function openFindings({ findings }: Pick<CheckResult, 'findings'>): Finding[] {
  return findings.filter(({ waiver }) => waiver === undefined);
}

/** countFindings counts open findings by severity. */
export function countFindings(result: Pick<CheckResult, 'findings'>): Readonly<Record<Severity, number>> {
  const open = openFindings(result);
  const count = (severity: Severity) => open.filter((one) => one.severity === severity).length;
  return { block: count('block'), warn: count('warn'), unknown: count('unknown'), info: count('info') };
}

/** isComplete: all of the input was read, so that what is not found is not there. */
export function isComplete({ problems }: Pick<CheckResult, 'problems'>): boolean {
  return problems.length === 0;
}

/** verdictOf says in one sentence how a check ended. */
export function verdictOf(result: CheckResult): string {
  const counts = countFindings(result);
  const waived = result.findings.length - openFindings(result).length;
  const parts = severities.filter((each) => counts[each] > 0).map((each) => `${counts[each]} ${each}`);
  const found = parts.length === 0 ? 'nothing found' : parts.join(', ');
  const more = waived > 0 ? `, ${waived} waived` : '';
  const whole = isComplete(result)
    ? ''
    : `; ${count(result.problems.length + result.moreProblems, 'thing')} could not be read, so this is not all`;
  return `${count(result.workloads, 'workload')} and ${count(result.pods, 'pod')} for a move to ${result.target.name}: ${found}${more}${whole}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
