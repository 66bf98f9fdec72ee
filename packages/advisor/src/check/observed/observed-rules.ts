import { readCheckData } from '../load-knowledge.ts';
import { type Rule, rulesSchema } from '../rules/knowledge.ts';
import type { Severity } from '../rules/rule.ts';
import { type AttributedRefusal, isExecution } from './refusal.ts';

/** loadObservedRules reads what is said of refusals that no rule foresaw, by id. @throws advisor/data-invalid */
export async function loadObservedRules(): Promise<ReadonlyMap<string, Rule>> {
  const { rules } = await readCheckData('observed-rules.yaml', rulesSchema);
  return new Map(rules.map((rule) => [rule.id, rule]));
}

/** A refusal that no rule foresaw, as a finding. */
export interface Unforeseen {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly subject: string;
}

const RULES = {
  seccomp: 'PLM092',
  ipe: 'PLM093',
  lockdown: 'PLM096',
  'read-only': 'PLM094',
  execute: 'PLM095',
  'program-missing': 'PLM097',
} as const;

/**
 * judgeUnforeseen tells what a refusal is worth that no rule foresaw; pure. What was only logged is `info`.
 * @param hostPath the path on the host, when it is known to be one
 */
export function judgeUnforeseen(refusal: AttributedRefusal, hostPath: string | undefined): Unforeseen {
  const { kind, enforced } = refusal;
  const rule = kind === 'selinux' ? (enforced ? 'PLM090' : 'PLM091') : RULES[kind];
  return {
    rule,
    severity: enforced ? severityOf(refusal, hostPath) : 'info',
    subject: subjectOf(refusal, hostPath),
    message: `${whoText(refusal)} ${whatText(refusal, hostPath)}`,
  };
}

const IDLE_TASK = /^swapper\/\d+$/;

function severityOf(refusal: AttributedRefusal, hostPath: string | undefined): Severity {
  // The kernel itself, at its start: what it looks for is not allowed on such a node anyway.
  if (refusal.kind === 'lockdown' && IDLE_TASK.test(refusal.comm)) return 'info';
  // Nobody knows which workload it concerns, if any.
  if (refusal.place === undefined) return 'warn';
  switch (refusal.kind) {
    case 'seccomp':
    case 'ipe':
    case 'program-missing':
      return 'block';
    case 'read-only':
      return hostPath === undefined ? 'warn' : 'block';
    case 'selinux':
      return isExecution(refusal) ? 'block' : 'warn';
    case 'execute':
    case 'lockdown':
      return 'warn';
  }
}

function subjectOf(refusal: AttributedRefusal, hostPath: string | undefined): string {
  const { kind, place, sourceContext, comm, action, objectClass, path, name } = refusal;
  if (kind === 'seccomp' || kind === 'lockdown') return action;
  if (kind === 'program-missing') return name;
  // What the host's own services are denied is told by service, not by file.
  if (kind === 'selinux' && place === undefined) return sourceContext.split(':')[2] || comm;
  if (kind === 'selinux' && path === '') return `${objectClass}: ${action}${name === '' ? '' : ` ${name}`}`;
  return hostPath ?? (path === '' ? 'path not said' : path);
}

function whoText({ place, unit, comm, pid, sourceContext }: AttributedRefusal): string {
  const process = [comm === '' ? 'a process' : comm, pid > 0 ? `(process ${pid})` : '']
    .filter(Boolean)
    .join(' ');
  if (place) return place.container === '' ? `${process} in pod ${place.pod}` : process;
  if (IDLE_TASK.test(comm)) return `the kernel itself (${comm})`;
  if (unit !== '') return `${process} of the host's ${unit}`;
  const type = sourceContext === '' ? '' : `, context ${sourceContext}`;
  return `${process}${type}, of which nobody knows any more whether it was in a container,`;
}

function whatText(refusal: AttributedRefusal, hostPath: string | undefined): string {
  const { kind, enforced, action, objectClass, path, name } = refusal;
  const where = hostPath ?? (path === '' ? name : path);
  const object = where === '' ? '' : ` ${where}`;
  const place = hostPath === undefined || hostPath === path ? '' : ' of the host';
  switch (kind) {
    case 'selinux':
      return `${enforced ? 'was' : 'would be'} denied { ${action} } on ${objectClass}${object}${place}`;
    case 'seccomp':
      return enforced
        ? `made ${action}, which its filter refused`
        : `made ${action}, which its filter logged`;
    case 'ipe':
      return `${enforced ? 'was refused' : 'would be refused'} to ${action}${object}`;
    case 'lockdown':
      return `was refused by lockdown: ${action}`;
    case 'read-only':
      return `could not write${object === '' ? ', where its log does not say' : `${object}${place}`}: read-only`;
    case 'execute':
      return `could not execute${object}${place}: permission denied`;
    case 'program-missing':
      return `did not find ${name} on the host`;
  }
}
