import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { fingerprintOf } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { fromBER } from 'asn1js';
import { Certificate } from 'pkijs';
import { AUTHORITY, CLIENT_AUTHENTICATION, signCertificate } from '../../identity/sign-certificate.ts';

/** Whom a session is for, and how long. */
export interface SessionRequest {
  readonly commonName: string;
  readonly role: string;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface SessionCertificate {
  readonly certificatePem: string;
  /** Hexadecimal. */
  readonly serial: string;
  readonly fingerprint: string;
}

/** Signs certificates of people who logged in, for this node and this run of plinthd. */
export interface SessionAuthority {
  readonly certificatePem: string;
  issue(request: SessionRequest): Promise<SessionCertificate>;
}

const DAY_MS = 24 * 3600_000;
/** A clock that was wrong when it was made must not end it; the key ends with this process. */
const VALID_DAYS = 3650;

/**
 * openSessionAuthority makes an authority whose key is nowhere but in this process: nothing on the disk could be stolen or
 * has to be rotated, and no other node accepts what it signs. With plinthd all sessions end.
 */
export async function openSessionAuthority(nodeId: string, nowMs: number): Promise<SessionAuthority> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = await signCertificate({
    ...{ commonName: `plinth sessions ${nodeId}`, purpose: AUTHORITY, publicKey, signerKey: privateKey },
    notBefore: new Date(nowMs - VALID_DAYS * DAY_MS),
    notAfter: new Date(nowMs + VALID_DAYS * DAY_MS),
  });
  const issuer = new Certificate({ schema: fromBER(der).result }).subject;
  return {
    certificatePem: new X509Certificate(der).toString(),
    async issue({ commonName, role, publicKey: holder, notBeforeMs, notAfterMs }) {
      const leaf = new X509Certificate(
        await signCertificate({
          ...{ commonName, organisation: role, purpose: CLIENT_AUTHENTICATION, issuer },
          ...{ publicKey: holder, signerKey: privateKey },
          ...{ notBefore: new Date(notBeforeMs), notAfter: new Date(notAfterMs) },
        }),
      );
      return {
        certificatePem: leaf.toString(),
        serial: leaf.serialNumber.toLowerCase(),
        fingerprint: fingerprintOf(leaf.raw),
      };
    },
  };
}

/** P-256 keys have 91 bytes in this form. */
const KEY_LIMIT_BYTES = 256;

/** readHolderKey reads the key that a certificate shall be for. @throws access/token-refused when it is no P-256 key */
export function readHolderKey(spki: Uint8Array): KeyObject {
  const refuse = () =>
    new PlinthError(
      'access/token-refused',
      'Cannot take the public key: it is none, expected a P-256 key in DER',
    );
  if (spki.length > KEY_LIMIT_BYTES) throw refuse();
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch {
    // told below
  }
  throw refuse();
}
