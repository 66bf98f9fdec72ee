import { messageOf } from '@plinth/base';
import type { Sys } from '../sys/sys.ts';
import { withinTime } from './within-time.ts';

/** The outcome of a check. `unknown` means "could not find out" and is never as good as `pass`. */
export type Verdict = 'pass' | 'fail' | 'unknown';

/** What was seen, and whether it is what a sound node shows. */
export interface Finding {
  readonly verdict: Verdict;
  readonly observed: string;
  /** What is behind it, where the observation tells more than the check knows in general. */
  readonly cause?: string;
  /** The one action that helps in this very case. */
  readonly fix?: string;
}

/** One question to the machine. */
export interface CheckSpec {
  readonly id: string;
  readonly expected: string;
  /** Path or program the answer comes from. */
  readonly source: string;
  /** What is usually behind a failure. */
  readonly cause?: string;
  /** What a person does when it does not pass. */
  readonly fix: string;
  /** A failure makes the node unfit for work, not only degraded. */
  readonly critical?: boolean;
  observe(sys: Sys): Promise<Finding>;
}

/** A question with its answer. */
export interface CheckResult extends Finding {
  readonly id: string;
  readonly expected: string;
  readonly source: string;
  /** Empty when the check passes, or when nothing is known. */
  readonly cause: string;
  /** Empty when the check passes. */
  readonly fix: string;
  readonly critical: boolean;
}

/**
 * runCheck asks the machine. A question that cannot be answered is `unknown` with the reason, never an exception.
 * @param limitMs how long the answer is waited for; a question goes on unheard, within limits of its own
 */
export async function runCheck(spec: CheckSpec, sys: Sys, limitMs?: number): Promise<CheckResult> {
  const { id, expected, source, cause = '', fix, critical = false } = spec;
  const asked = spec.observe(sys);
  const finding = await (limitMs === undefined ? asked : withinTime(asked, limitMs)).catch(
    (reason: unknown): Finding => {
      const text = messageOf(reason);
      return unknown(`could not be observed: ${text}`);
    },
  );
  const passed = finding.verdict === 'pass';
  return {
    ...{ id, expected, source, critical, verdict: finding.verdict, observed: finding.observed },
    cause: passed ? '' : (finding.cause ?? cause),
    fix: passed ? '' : (finding.fix ?? fix),
  };
}

export function pass(observed: string): Finding {
  return { verdict: 'pass', observed };
}

export function fail(observed: string): Finding {
  return { verdict: 'fail', observed };
}

export function unknown(observed: string): Finding {
  return { verdict: 'unknown', observed };
}

/** passIf judges one condition on one observation. */
export function passIf(holds: boolean, observed: string): Finding {
  return holds ? pass(observed) : fail(observed);
}

/** overallVerdict sums up: one failure fails all, and one unknown leaves all unknown. Nothing observed is unknown. */
export function overallVerdict(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.length === 0 || verdicts.includes('unknown') ? 'unknown' : 'pass';
}
