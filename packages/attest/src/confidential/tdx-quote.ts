import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ByteView, concatBytes, decodeText, hex } from '@plinth/formats';
import type { GuestFacts, GuestFinding } from './guest-verdict.ts';

// Intel TDX DCAP Quoting Library API, A.3 (quote version 4) and A.4 (version 5).

const HEADER_BYTES = 48;
const TDX = 0x81;
const ECDSA_P256 = 2;
const BODY_BYTES: ReadonlyMap<number, number> = new Map([
  [2, 584], // TDX 1.0
  [3, 648], // TDX 1.5
]);
const VERSION_4_BODY = 2;
const BODY = {
  tcbSvn: 0x00,
  seam: 0x10,
  attributes: 0x78,
  mrtd: 0x88,
  rtmrs: 0x148,
  reportData: 0x208,
} as const;
const REGISTERS = 4;
const SIGNATURE_BYTES = 64;
const QE_REPORT_BYTES = 384;
const QE_REPORT_DATA = 0x140;
const DATA = { pckChain: 5, qeReport: 6 } as const;

/** A quote, taken apart. */
export interface TdxQuote {
  readonly facts: GuestFacts;
  readonly findings: readonly GuestFinding[];
  /** Header and body. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** X and Y of the quoting enclave's key, P-256. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: Uint8Array;
  readonly qeSignature: Uint8Array;
  readonly qeData: Uint8Array;
  readonly chainPem: string;
}

/** isTdxQuote tells whether bytes could be a quote of a TD. */
export function isTdxQuote(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const view = new ByteView(bytes, { what: 'TDX quote' });
  return (view.u16(0) === 4 || view.u16(0) === 5) && view.u32(4) === TDX;
}

/** readTdxQuote reads a quote of version 4 or 5 with its certificates inside. It proves nothing yet. @throws formats/truncated */
export function readTdxQuote(bytes: Uint8Array): TdxQuote {
  const view = new ByteView(bytes, { what: 'TDX quote' });
  const version = view.u16(0);
  const findings: GuestFinding[] = [];
  const refuse = (reason: GuestFinding['reason'], message: string) => findings.push({ reason, message });
  if (view.u16(2) !== ECDSA_P256) refuse('unsupported', `its key is of kind ${view.u16(2)}, expected P-256`);
  const bodyAt = version === 4 ? HEADER_BYTES : HEADER_BYTES + 6;
  const kind = version === 4 ? VERSION_4_BODY : view.u16(HEADER_BYTES);
  const bodyBytes = BODY_BYTES.get(kind) ?? 0;
  if (version === 5 && view.u32(HEADER_BYTES + 2) !== bodyBytes) {
    refuse('unsupported', `its body is of kind ${kind} and ${view.u32(HEADER_BYTES + 2)} bytes`);
  }
  const body = new ByteView(view.slice(bodyAt, bodyBytes || 584), { what: 'TDX quote body' });
  const end = bodyAt + body.sizeBytes;
  const signedData = new ByteView(view.slice(end + 4, view.u32(end)), { what: 'signature of a TDX quote' });
  const outer = certificationData(signedData, 2 * SIGNATURE_BYTES);
  if (outer.kind !== DATA.qeReport) refuse('unsupported', `its certification data are of kind ${outer.kind}`);
  const qe = new ByteView(outer.data, { what: 'report of the quoting enclave' });
  const dataAt = QE_REPORT_BYTES + SIGNATURE_BYTES;
  const dataBytes = qe.u16(dataAt);
  const inner = certificationData(qe, dataAt + 2 + dataBytes);
  if (inner.kind !== DATA.pckChain) refuse('unsupported', `its certificates are of kind ${inner.kind}`);
  const attributes = body.slice(BODY.attributes, 8);
  return {
    findings,
    facts: {
      kind: 'TDX',
      measurement: hex(body.slice(BODY.mrtd, 48)),
      reportData: hex(body.slice(BODY.reportData, 64)),
      // The low byte holds the attributes under which a TD is not to be trusted; debugging is the first.
      debugAllowed: attributes[0] !== 0,
      more: [
        ['version', String(version)],
        ['TCB of the module', hex(body.slice(BODY.tcbSvn, 16))],
        ['MRSEAM', hex(body.slice(BODY.seam, 48))],
        ...Array.from(
          { length: REGISTERS },
          (_, index) => [`RTMR ${index}`, hex(body.slice(BODY.rtmrs + 48 * index, 48))] as const,
        ),
      ],
    },
    signed: view.slice(0, end),
    signature: signedData.slice(0, SIGNATURE_BYTES),
    attestationKey: signedData.slice(SIGNATURE_BYTES, SIGNATURE_BYTES),
    qeReport: qe.slice(0, QE_REPORT_BYTES),
    qeSignature: qe.slice(QE_REPORT_BYTES, SIGNATURE_BYTES),
    qeData: qe.slice(dataAt + 2, dataBytes),
    chainPem: decodeText(inner.data),
  };
}

function certificationData(view: ByteView, at: number): { readonly kind: number; readonly data: Uint8Array } {
  return { kind: view.u16(at), data: view.slice(at + 6, view.u32(at + 2)) };
}

/** judgeTdxSignatures checks the way from the platform's certificate over the quoting enclave to the quote. */
export function judgeTdxSignatures(quote: TdxQuote, pckKey: KeyObject): GuestFinding[] {
  const refuse = (message: string): GuestFinding[] => [{ reason: 'bad-signature', message }];
  if (!isSigned(pckKey, quote.qeReport, quote.qeSignature)) {
    return refuse('the platform did not sign the report of the quoting enclave');
  }
  const bound = createHash('sha256')
    .update(concatBytes([quote.attestationKey, quote.qeData]))
    .digest('hex');
  const said = hex(quote.qeReport.subarray(QE_REPORT_DATA, QE_REPORT_DATA + 64));
  if (said !== bound.padEnd(128, '0'))
    return refuse('the quoting enclave does not vouch for the key of the quote');
  const key = publicKeyOf(quote.attestationKey);
  return key && isSigned(key, quote.signed, quote.signature)
    ? []
    : refuse('the quote is not signed by its key');
}

function publicKeyOf(coordinates: Uint8Array): KeyObject | undefined {
  const text = (from: number) => Buffer.from(coordinates.subarray(from, from + 32)).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: text(0), y: text(32) }, format: 'jwk' });
  } catch {
    return undefined; // no point of the curve
  }
}

function isSigned(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
  return verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);
}
