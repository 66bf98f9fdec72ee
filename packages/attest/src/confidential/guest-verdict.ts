/** Why the report of a confidential guest is refused. */
export const GUEST_REASONS = {
  malformed: 'the report breaks its format',
  unsupported: 'it is of a kind, version or processor that is not judged here',
  'unknown-authority': 'the certificates do not lead to the root of the processor maker',
  expired: 'a certificate is outside its validity',
  'bad-signature': 'a signature does not fit what it is over',
  'other-chip': 'the certificate is of another chip or firmware level than the report',
  'debug-allowed': 'the host may read and change the memory of the guest',
  'migration-allowed': 'a migration agent may take the guest elsewhere',
  'other-measurement': 'the guest was started from something else than expected',
  'not-for-this-challenge': 'the report was made for other data than expected',
} as const;

export interface GuestFinding {
  readonly reason: keyof typeof GUEST_REASONS;
  /** What is behind it in this case, one line. */
  readonly message: string;
}

/** What a report says of its guest, as far as the processor vouches for it. Hexadecimal. */
export interface GuestFacts {
  readonly kind: 'SEV-SNP' | 'TDX';
  /** Of what the guest was started from: MEASUREMENT, or MRTD. */
  readonly measurement: string;
  /** What the guest wanted signed along: REPORT_DATA. */
  readonly reportData: string;
  readonly debugAllowed: boolean;
  /** More that is shown: names as the makers have them. */
  readonly more: readonly (readonly [name: string, value: string])[];
}

/** What is expected of a guest; what is absent is not compared. */
export interface ExpectedGuest {
  /** Hexadecimal, 48 bytes. */
  readonly measurement?: string | undefined;
  /** Hexadecimal, 64 bytes: the challenge. */
  readonly reportData?: string | undefined;
}

export interface GuestVerdict {
  /** unknown: genuine, and nothing was given to hold it against. */
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly findings: readonly GuestFinding[];
  readonly facts?: GuestFacts;
  /** What is not judged here, whatever the verdict. */
  readonly notChecked: readonly string[];
}

/** compareGuest holds what a genuine report says against what is expected. */
export function compareGuest(
  { measurement, reportData, debugAllowed }: GuestFacts,
  expected: ExpectedGuest,
): GuestFinding[] {
  const findings: GuestFinding[] = [];
  if (debugAllowed) findings.push({ reason: 'debug-allowed', message: 'its policy allows debugging' });
  if (expected.measurement !== undefined && expected.measurement !== measurement) {
    findings.push({
      reason: 'other-measurement',
      message: `it is ${measurement.slice(0, 16)}…, expected ${expected.measurement.slice(0, 16)}…`,
    });
  }
  if (expected.reportData !== undefined && expected.reportData !== reportData) {
    findings.push({
      reason: 'not-for-this-challenge',
      message: `its data are ${reportData.slice(0, 16)}…, expected ${expected.reportData.slice(0, 16)}…`,
    });
  }
  return findings;
}
