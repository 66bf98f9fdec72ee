import { verify } from 'node:crypto';
import { concatBytes, encodeText } from '@plinth/formats';
import type { Certificate } from '../certificate.ts';
import { isRecord } from '../record.ts';
import type { Signer } from '../signer.ts';
import { type SignatureVerdict, signatureFails, signatureUnknown } from '../verdict.ts';

/** A DSSE envelope (secure-systems-lab/dsse, envelope.md). */
export interface DsseEnvelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** preAuthEncoding is what is really signed (DSSE protocol.md, "PAE"): type and payload cannot be confused. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeText(payloadType);
  const head = concatBytes([encodeText(`DSSEv1 ${type.length} `), type, encodeText(` ${payload.length} `)]);
  return concatBytes([head, payload]);
}

/**
 * signDsse signs a statement, such as in-toto provenance, into an envelope.
 * @throws trust/signing-failed
 */
export async function signDsse(
  signer: Signer,
  payloadType: string,
  payload: Uint8Array,
): Promise<DsseEnvelope> {
  const signature = await signer.sign(preAuthEncoding(payloadType, payload));
  return {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: signer.keyId, sig: Buffer.from(signature).toString('base64') }],
  };
}

/**
 * verifyDsse checks that one of an envelope's signatures is by a trusted key. `keyid` is only a hint and not trusted.
 * The payload may be used only after "pass".
 */
export function verifyDsse(envelope: DsseEnvelope, trusted: readonly Certificate[]): SignatureVerdict {
  if (trusted.length === 0) return signatureUnknown('no certificate was given to check it against');
  const signed = preAuthEncoding(envelope.payloadType, Buffer.from(envelope.payload, 'base64'));
  for (const { sig } of envelope.signatures) {
    const signature = Buffer.from(sig, 'base64');
    const certificate = trusted.find(({ publicKey }) => verify('sha256', signed, publicKey, signature));
    if (certificate) return { verdict: 'pass', keyId: certificate.keyId, subject: certificate.subject };
  }
  return signatureFails('no signature in it is by a trusted key');
}

/** parseDsse reads an envelope from JSON; undefined when it is none. */
export function parseDsse(text: string): DsseEnvelope | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON, so no envelope: the caller reports it as a failed signature.
    return undefined;
  }
  if (!isRecord(value) || !Array.isArray(value['signatures'])) return undefined;
  const { payloadType, payload } = value;
  if (typeof payloadType !== 'string' || typeof payload !== 'string') return undefined;
  const signatures = value['signatures'].map((entry: unknown) => {
    const fields = isRecord(entry) ? entry : {};
    const { keyid, sig } = fields;
    return typeof sig === 'string' ? { keyid: typeof keyid === 'string' ? keyid : '', sig } : undefined;
  });
  if (signatures.length > 16 || !signatures.every((entry) => entry !== undefined)) return undefined;
  return { payloadType, payload, signatures };
}
