import { PlinthError } from '@plinth/base';
import type { Certificate, SignatureVerdict } from '@plinth/trust';

/** The links of a release, in the order they hang on each other. */
export const checkTitles = {
  'sums-signature': 'Signature of the checksums',
  sums: 'Checksums of all files',
  manifest: 'Manifest',
  provenance: 'Provenance: signature and subjects',
  'disk-table': 'Partition table of the disk',
  partitions: 'Partitions against the split files',
  verity: 'Every block of the root against its root hash',
  'root-hash-signature': 'Signature of the root hash',
  'uki-signature': 'Signature of the UKI',
  'command-line': 'Root hash on the kernel command line',
  'pcr-signature': 'PCR signatures, predictions, reference values',
  'boot-loader-signature': 'Signature of the boot loader',
  sbom: 'SBOM against the files of the root',
} as const;

export type CheckId = keyof typeof checkTitles;

/** "unknown" means it could not be judged; it is never as good as "pass". */
export type Verdict = 'pass' | 'fail' | 'unknown';

export interface Outcome {
  readonly verdict: Verdict;
  /** What was found, one sentence. */
  readonly detail: string;
}

export interface Check extends Outcome {
  readonly id: CheckId;
  readonly title: string;
}

export interface VerifyReport {
  /** The folder or file that was looked at. */
  readonly subject: string;
  /** "fail" if one link is broken, else "unknown" if one could not be judged. */
  readonly verdict: Verdict;
  /** All links, in order. */
  readonly checks: readonly Check[];
  /** The first link that is broken. */
  readonly firstBroken?: Check;
}

/** The certificates to trust, by what their keys sign; none: signatures stay unknown. */
export interface TrustAnchors {
  certificates(role: 'boot' | 'verity' | 'pcr' | 'release'): readonly Certificate[];
}

/** What every verification may be given. */
export interface VerifyOptions {
  /** Certificates to trust; without them every signature stays unknown. */
  readonly trusted?: TrustAnchors;
  readonly signal?: AbortSignal;
}

export const noAnchors: TrustAnchors = { certificates: () => [] };

export function pass(detail: string): Outcome {
  return { verdict: 'pass', detail };
}

export function fail(detail: string): Outcome {
  return { verdict: 'fail', detail };
}

export function unknown(detail: string): Outcome {
  return { verdict: 'unknown', detail };
}

/** ofSignature words the verdict of a signature. */
export function ofSignature(verdict: SignatureVerdict, what: string): Outcome {
  return verdict.verdict === 'pass'
    ? pass(`${what} is signed by ${verdict.subject}`)
    : { verdict: verdict.verdict, detail: `${what}: ${verdict.reason}` };
}

/** worstOf joins outcomes: the first that fails, else the first that is unknown, else what all say. */
export function worstOf(outcomes: readonly Outcome[]): Outcome {
  const worst =
    outcomes.find(({ verdict }) => verdict === 'fail') ??
    outcomes.find(({ verdict }) => verdict === 'unknown');
  return worst ?? pass([...new Set(outcomes.map(({ detail }) => detail))].join('; '));
}

/**
 * runCheck judges one link. Bad bytes are a failed link; anything else that goes wrong leaves it unknown, and an
 * interruption ends everything.
 * @throws cli/interrupted
 */
export async function runCheck(
  id: CheckId,
  judge: () => Promise<Outcome> | Outcome,
  signal: AbortSignal | undefined,
): Promise<Check> {
  const title = checkTitles[id];
  if (signal?.aborted) throw new PlinthError('cli/interrupted', `Cannot finish "${title}": interrupted`);
  try {
    return { id, title, ...(await judge()) };
  } catch (reason) {
    if (!(reason instanceof PlinthError) || reason.code === 'cli/interrupted') throw reason;
    const isBadInput = /^(formats|release|trust)\//.test(reason.code);
    return { id, title, verdict: isBadInput ? 'fail' : 'unknown', detail: reason.message };
  }
}

/** notReached stands for a link that could not be looked at because one before it is broken. */
export function notReached(id: CheckId, why: string): Check {
  return { id, title: checkTitles[id], ...unknown(`not looked at: ${why}`) };
}

/** makeReport sums checks up. */
export function makeReport(subject: string, checks: readonly Check[]): VerifyReport {
  const firstBroken = checks.find(({ verdict }) => verdict === 'fail');
  const open = checks.some(({ verdict }) => verdict === 'unknown');
  return {
    subject,
    verdict: firstBroken ? 'fail' : open ? 'unknown' : 'pass',
    checks,
    ...(firstBroken ? { firstBroken } : {}),
  };
}
