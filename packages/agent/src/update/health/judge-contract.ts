import type { CheckResult } from '../../checks/check.ts';
import type { Baseline } from '../activate/activated.ts';
import type { ContractRecord } from './contract-record.ts';

/** What was seen of a version on trial in one look. */
export interface ContractLook {
  readonly checks: readonly CheckResult[];
  /** Time since the kernel started. */
  readonly upMs: number;
  readonly nowMs: number;
}

/** Checks of health that a version on trial has to pass whatever was before; others count when they are critical. */
const CONTRACT_CHECKS: readonly string[] = [
  ...['containerd', 'runtime-socket', 'kubelet', 'kubelet-healthz', 'network', 'var-writable'],
];
/** What a member has to show if it did under the version before: a cluster that is away is not this version's fault. */
const AS_BEFORE: readonly string[] = ['node-ready', 'static-pods', 'node-address', 'units'];
/** What a version has to show where there is no other to go back to: a reboot would help nobody. */
export const FIRST_CHECKS: readonly string[] = ['containerd', 'runtime-socket'];

/**
 * judgeLook puts a contract one look further; pure. It holds when every check passes in one look: what could not be seen does not
 * pass. It breaks when the time is over, where there is any.
 */
export function judgeLook(record: ContractRecord, { checks, upMs, nowMs }: ContractLook): ContractRecord {
  if (record.state !== 'running') return record;
  const seen = { ...record, checks: checks.map(bounded) };
  if (checks.length > 0 && checks.every(({ verdict }) => verdict === 'pass'))
    return { ...seen, state: 'held', decidedAtMs: nowMs };
  if (record.deadlineMs !== undefined && upMs >= record.deadlineMs)
    return { ...seen, state: 'broken', decidedAtMs: nowMs };
  return seen;
}

/**
 * contractOfHealth chooses what of the node's health a version on trial has to pass; pure. A critical check that did not pass
 * under the version before is nobody's fault of this one, unless it is one of CONTRACT_CHECKS.
 */
export function contractOfHealth(
  checks: readonly CheckResult[],
  baseline: Baseline | undefined,
): readonly CheckResult[] {
  const before = new Set(baseline?.notPassing);
  return checks.filter(
    ({ id, critical }) =>
      CONTRACT_CHECKS.includes(id) || ((critical || AS_BEFORE.includes(id)) && !before.has(`health/${id}`)),
  );
}

/**
 * contractOfIntegrity makes one check of the integrity report; pure. It passes when nothing is worse than under the version
 * before: no check fails, or could not be made, that passed then.
 */
export function contractOfIntegrity(
  checks: readonly CheckResult[],
  baseline: Baseline | undefined,
): CheckResult {
  const before = new Set(baseline?.notPassing);
  const worse = checks.filter(({ id, verdict }) => verdict !== 'pass' && !before.has(`integrity/${id}`));
  const fails = worse.filter(({ verdict }) => verdict === 'fail');
  const verdict =
    checks.length === 0 ? 'unknown' : fails.length > 0 ? 'fail' : worse.length > 0 ? 'unknown' : 'pass';
  const [first] = fails.length > 0 ? fails : worse;
  return {
    ...{ id: 'integrity', verdict, critical: true, source: 'the integrity report' },
    expected: 'no check of integrity that is worse than under the version before',
    observed: worse.length === 0 ? 'as before' : worse.map(({ id }) => id).join(', '),
    cause: first?.cause ?? '',
    fix: first ? 'Look at "plinth get integrity".' : '',
  };
}

/** baselineOf keeps what a node was like, for the contract of the version that comes; pure. */
export function baselineOf(
  health: readonly CheckResult[],
  integrity: readonly CheckResult[],
  defaultRoutes: Baseline['defaultRoutes'],
): Baseline {
  const open = (area: string, checks: readonly CheckResult[]) =>
    checks.filter(({ verdict }) => verdict !== 'pass').map(({ id }) => `${area}/${id}`);
  return {
    notPassing: [...open('health', health), ...open('integrity', integrity)].slice(0, 200),
    defaultRoutes,
  };
}

/** What is stored is bounded: a check of the config can observe anything. */
function bounded(check: CheckResult): ContractRecord['checks'][number] {
  const { id, verdict, critical } = check;
  const cut = (text: string, limit: number) => text.slice(0, limit);
  return {
    ...{ id: cut(id, 200), verdict, critical },
    ...{ observed: cut(check.observed, 500), expected: cut(check.expected, 500) },
    ...{ source: cut(check.source, 500), cause: cut(check.cause, 1000), fix: cut(check.fix, 1000) },
  };
}
