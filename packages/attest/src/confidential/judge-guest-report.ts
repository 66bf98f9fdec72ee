import { PlinthError } from '@plinth/base';
import { compareGuest, type ExpectedGuest, type GuestFinding, type GuestVerdict } from './guest-verdict.ts';
import { AMD_ROOTS, INTEL_ROOTS, type MakerChain, verifyMakerChain } from './maker-chain.ts';
import { isSnpReport, judgeSnpSignature, readSnpReport } from './snp-report.ts';
import { isTdxQuote, judgeTdxSignatures, readTdxQuote } from './tdx-quote.ts';

/** A quote with its certificates has some 5 KiB. */
export const GUEST_REPORT_LIMIT_BYTES = 64 * 1024;

export interface GuestReportInputs {
  /** SEV-SNP attestation report, or TDX quote. */
  readonly report: Uint8Array;
  /** VCEK, ASK and ARK for SEV-SNP; a TDX quote brings its own. */
  readonly chainPem: string;
  readonly expected: ExpectedGuest;
  readonly nowMs: number;
  /** Roots to believe, for tests; default: those of AMD and Intel. */
  readonly roots?: ReadonlyMap<string, string>;
}

const NOT_CHECKED = {
  'SEV-SNP': ['whether AMD revoked the VCEK or ASK', 'whether a firmware level has known weaknesses'],
  TDX: [
    'whether Intel revoked a certificate',
    'the TCB status of the platform',
    'identity of the quoting enclave',
  ],
} as const;

/**
 * judgeGuestReport decides whether a processor of AMD or Intel vouches for a confidential guest, and for the one that is
 * expected. Any bytes at all end in a verdict.
 */
export function judgeGuestReport(inputs: GuestReportInputs): GuestVerdict {
  try {
    if (inputs.report.length > GUEST_REPORT_LIMIT_BYTES) throw malformed('it is too large');
    if (isSnpReport(inputs.report)) return judgeSnp(inputs);
    if (isTdxQuote(inputs.report)) return judgeTdx(inputs);
    throw malformed('it is no SEV-SNP report of 1184 bytes and no TDX quote of version 4 or 5');
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
    const findings: GuestFinding[] = [{ reason: 'malformed', message: reason.message }];
    return { verdict: 'fail', findings, notChecked: [] };
  }
}

function judgeSnp({ report, chainPem, expected, nowMs, roots = AMD_ROOTS }: GuestReportInputs): GuestVerdict {
  const read = readSnpReport(report);
  const chain = verifyMakerChain(chainPem, roots, nowMs);
  const signature = chain.leaf ? judgeSnpSignature(read, chain.leaf) : [];
  return verdictOf(read, chain, signature, expected);
}

function judgeTdx({ report, expected, nowMs, roots = INTEL_ROOTS }: GuestReportInputs): GuestVerdict {
  const read = readTdxQuote(report);
  const chain = verifyMakerChain(read.chainPem, roots, nowMs);
  const signatures = chain.leaf ? judgeTdxSignatures(read, chain.leaf.publicKey) : [];
  return verdictOf(read, chain, signatures, expected);
}

function verdictOf(
  { facts, findings: own }: Pick<ReturnType<typeof readSnpReport>, 'facts' | 'findings'>,
  chain: MakerChain,
  signatures: readonly GuestFinding[],
  expected: ExpectedGuest,
): GuestVerdict {
  const findings = [...chain.findings, ...signatures, ...own, ...compareGuest(facts, expected)];
  const compared = expected.measurement !== undefined && expected.reportData !== undefined;
  return {
    verdict: findings.length > 0 ? 'fail' : compared ? 'pass' : 'unknown',
    findings,
    facts: { ...facts, more: [...facts.more, ['root', chain.root ?? 'none']] },
    notChecked: NOT_CHECKED[facts.kind],
  };
}

function malformed(state: string): PlinthError {
  return new PlinthError('attest/structure-invalid', `Cannot read the report of a guest: ${state}`);
}
