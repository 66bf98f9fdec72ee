import { posix } from 'node:path';
import type { Finding } from '../report/finding.ts';
import { realPath } from '../rules/host-paths.ts';
import { isWithin } from '../target/target.ts';
import { type AttributedRefusal, isExecution, isWrite } from './refusal.ts';

interface Seen {
  readonly refusal: AttributedRefusal;
  readonly hostPath: string | undefined;
}
type Test = (finding: Finding, seen: Seen) => boolean;

const writesBelow: Test = ({ subject }, { refusal, hostPath }) =>
  hostPath !== undefined && isWrite(refusal) && isWithin(hostPath, realPath(subject));

const runsBelow: Test = ({ subject }, { refusal, hostPath }) =>
  hostPath !== undefined && isExecution(refusal) && isWithin(hostPath, realPath(subject));

const isProgram: Test = ({ subject }, { refusal }) =>
  (refusal.kind === 'program-missing' && refusal.name === subject) ||
  (isExecution(refusal) && refusal.path !== '' && posix.basename(refusal.path) === subject);

/**
 * What of a finding leaves a trace when it happens, and which refusal is that trace. Rules that are not here are about
 * things no log tells: labels, budgets, architectures.
 */
const TRACES: Readonly<Record<string, Test>> = {
  PLM001: writesBelow,
  PLM002: writesBelow,
  PLM004: runsBelow,
  PLM006: writesBelow,
  PLM008: (finding, seen) => writesBelow(finding, seen) || runsBelow(finding, seen),
  PLM009: ({ subject }, { refusal: { kind, objectClass, path, name }, hostPath }) => {
    if (kind !== 'selinux') return false;
    if (hostPath !== undefined) return isWithin(hostPath, realPath(subject));
    // Of a folder in which something was to be made, the kernel tells the last part of its path.
    return path === '' && objectClass === 'dir' && name === posix.basename(realPath(subject));
  },
  PLM014: ({ subject, container }, { refusal: { objectClass, action, place } }) =>
    /^cap(?:ability2?|2?_userns)$/.test(objectClass) &&
    (container === '' || place?.container === container) &&
    action.toUpperCase().split(' ').includes(subject),
  PLM015: ({ subject }, { hostPath }) => hostPath !== undefined && isWithin(hostPath, realPath(subject)),
  PLM020: isProgram,
  PLM021: isProgram,
  PLM030: ({ subject }, { refusal: { objectClass, action, name, path } }) =>
    (objectClass === 'system' || /module_load/.test(action)) &&
    [name, posix.basename(path)].some((one) => one !== '' && moduleName(one) === moduleName(subject)),
  PLM032: ({ subject }, { refusal }) =>
    isWrite(refusal) && refusal.path === `/proc/sys/${subject.replaceAll('.', '/')}`,
};

/** A policy refuses some of it in silence (dontaudit): that nothing was seen says nothing. */
const OFTEN_SILENT = new Set(['PLM009']);

/** leavesTrace: when what a rule warns of happens, a log of the node tells, always. */
export function leavesTrace(rule: string): boolean {
  return rule in TRACES && !OFTEN_SILENT.has(rule);
}

/** foresaw: the refusal is what the finding warned of. The workload has to be the same already; pure. */
export function foresaw(finding: Finding, seen: Seen): boolean {
  return TRACES[finding.rule]?.(finding, seen) ?? false;
}

function moduleName(text: string): string {
  return text.replace(/\.ko(?:\.\w+)?$/, '').replaceAll('-', '_');
}
