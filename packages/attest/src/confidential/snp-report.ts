import { createPublicKey, verify, type X509Certificate } from 'node:crypto';
import { ByteView, concatBytes, hex } from '@plinth/formats';
import { readExtensions, readSmallInteger } from './der-extensions.ts';
import type { GuestFacts, GuestFinding } from './guest-verdict.ts';

/** ATTESTATION_REPORT (AMD document 56860, SEV Secure Nested Paging Firmware ABI, table 23). */
export const SNP_REPORT_BYTES = 1184;
const AT = {
  ...{ version: 0x00, policy: 0x08, vmpl: 0x30, algorithm: 0x34, flags: 0x48 },
  ...{ reportData: 0x50, measurement: 0x90, hostData: 0xc0, reportedTcb: 0x180, chipId: 0x1a0 },
  signature: 0x2a0,
} as const;
const NUMBER_BYTES = 72;
const P384_BYTES = 48;
const ECDSA_P384_SHA384 = 1;
const POLICY = { mustBeOne: 17, migrationAgent: 18, debug: 19 } as const;
/** Of the flags: a chip identity that is masked, and which key signed. */
const MASK_CHIP_KEY = 0b10;
const SIGNING_KEY_SHIFT = 2;
const VCEK = 0;

/** Extensions of a VCEK certificate (AMD document 57230), and the byte of TCB_VERSION that each is; OIDs in DER. */
const ARC = '2b060104019c78';
const PARTS = [
  { name: 'boot loader', oid: `${ARC}010301`, byte: 0 },
  { name: 'TEE', oid: `${ARC}010302`, byte: 1 },
  { name: 'SNP firmware', oid: `${ARC}010303`, byte: 6 },
  { name: 'microcode', oid: `${ARC}010308`, byte: 7 },
] as const;
const CHIP_ID_OID = `${ARC}0104`;

/** A report as the chip signed it. */
export interface SnpReport {
  readonly facts: GuestFacts;
  readonly bytes: Uint8Array;
  readonly findings: readonly GuestFinding[];
}

/** isSnpReport tells whether bytes could be a report. */
export function isSnpReport(bytes: Uint8Array): boolean {
  return bytes.length === SNP_REPORT_BYTES;
}

/** readSnpReport reads a report of version 2 to 5. It proves nothing yet. @throws formats/truncated */
export function readSnpReport(bytes: Uint8Array): SnpReport {
  const view = new ByteView(bytes, { what: 'SEV-SNP report' });
  const [version, vmpl, algorithm, flags] = [
    view.u32(AT.version),
    view.u32(AT.vmpl),
    view.u32(AT.algorithm),
    view.u32(AT.flags),
  ];
  const policy = view.u32(AT.policy);
  const bit = (at: number) => ((policy >>> at) & 1) === 1;
  const findings: GuestFinding[] = [];
  const refuse = (reason: GuestFinding['reason'], message: string) => findings.push({ reason, message });
  if (version < 2 || version > 5) refuse('unsupported', `its version is ${version}, expected 2 to 5`);
  if (algorithm !== ECDSA_P384_SHA384) refuse('unsupported', `its signature is of algorithm ${algorithm}`);
  const key = (flags >>> SIGNING_KEY_SHIFT) & 0b111;
  if (key !== VCEK || (flags & MASK_CHIP_KEY) !== 0) {
    refuse('unsupported', `it is signed by key ${key} of the chip, expected its VCEK`);
  }
  if (!bit(POLICY.mustBeOne)) refuse('malformed', 'bit 17 of its policy is 0');
  if (bit(POLICY.migrationAgent)) refuse('migration-allowed', 'its policy allows a migration agent');
  return {
    bytes,
    findings,
    facts: {
      kind: 'SEV-SNP',
      measurement: hex(view.slice(AT.measurement, 48)),
      reportData: hex(view.slice(AT.reportData, 64)),
      debugAllowed: bit(POLICY.debug),
      more: [
        ['version', String(version)],
        ['VMPL', String(vmpl)],
        ['host data', hex(view.slice(AT.hostData, 32))],
        ['reported TCB', hex(view.slice(AT.reportedTcb, 8))],
        ['chip', hex(view.slice(AT.chipId, 64)).slice(0, 32)],
      ],
    },
  };
}

/** judgeSnpSignature checks that the chip of that certificate, at that level of firmware, signed the report. @throws attest/structure-invalid */
export function judgeSnpSignature({ bytes }: SnpReport, vcek: X509Certificate): GuestFinding[] {
  const view = new ByteView(bytes, { what: 'SEV-SNP report' });
  // Numbers are little-endian and longer than P-384 has them.
  const number = (index: number) => {
    const given = view.slice(AT.signature + index * NUMBER_BYTES, NUMBER_BYTES).toReversed();
    return given.slice(0, NUMBER_BYTES - P384_BYTES).some((byte) => byte !== 0)
      ? undefined
      : given.slice(NUMBER_BYTES - P384_BYTES);
  };
  const [r, s] = [number(0), number(1)];
  const key = createPublicKey(vcek.publicKey.export({ type: 'spki', format: 'pem' }));
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const fits =
    r !== undefined &&
    s !== undefined &&
    curve === 'secp384r1' &&
    verify(
      'sha384',
      bytes.subarray(0, AT.signature),
      { key, dsaEncoding: 'ieee-p1363' },
      concatBytes([r, s]),
    );
  if (!fits) return [{ reason: 'bad-signature', message: 'the VCEK did not sign the report' }];
  return judgeChip(view, vcek);
}

function judgeChip(view: ByteView, vcek: X509Certificate): GuestFinding[] {
  const extensions = readExtensions(new Uint8Array(vcek.raw));
  const findings = PARTS.flatMap(({ name, oid, byte }): GuestFinding[] => {
    const [certified, reported] = [readSmallInteger(extensions.get(oid)), view.u8(AT.reportedTcb + byte)];
    if (certified === reported) return [];
    const message = `${name} is ${reported} in the report and ${certified} in the certificate`;
    return [{ reason: 'other-chip', message }];
  });
  if (hex(extensions.get(CHIP_ID_OID) ?? new Uint8Array()) !== hex(view.slice(AT.chipId, 64))) {
    findings.push({ reason: 'other-chip', message: 'the certificate is of another chip' });
  }
  return findings;
}
