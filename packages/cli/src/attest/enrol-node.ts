import { type KeyObject, randomBytes, timingSafeEqual, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { NodeClient } from '@plinth/api';
import {
  isAttestationKey,
  isEndorsementKey,
  makeCredential,
  type PublicArea,
  readPublicArea,
} from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';

/** Keys of a TPM that has proven that both are in it. */
export interface ProvenKeys {
  readonly ekPublic: Uint8Array;
  readonly akPublic: Uint8Array;
  /** Who vouches for the endorsement key; "" for nobody. */
  readonly vouchedBy: string;
}

/**
 * proveKeys has a node prove that its attestation key is in the TPM of its endorsement key, and that a known authority
 * vouches for that one where `authorityPath` names some.
 * @throws attest/enrolment-refused, attest/tpm-refused, attest/no-tpm, attest/structure-invalid,
 *   trust/certificate-invalid, host/io, api/…
 */
export async function proveKeys(node: NodeClient, authorityPath: string | undefined): Promise<ProvenKeys> {
  const { ekPublic, ekCertificate, akPublic } = await node.attestation.keys();
  const [ek, ak] = [readPublicArea(ekPublic), readPublicArea(akPublic)];
  if (!isEndorsementKey(ek)) throw refused('its endorsement key is not one that can only be in a TPM');
  if (!isAttestationKey(ak))
    throw refused('its attestation key is not one that signs only quotes of its TPM');
  const vouchedBy = await judgeCertificate(ek, ekCertificate, authorityPath);
  const secret = randomBytes(32);
  const credential = makeCredential(ek, ak.name, secret, randomBytes(32));
  const opened = await node.attestation.activateCredential(credential);
  if (opened.length !== secret.length || !timingSafeEqual(opened, secret)) {
    throw refused('it gave another secret back than the one for its keys');
  }
  return { ekPublic, akPublic, vouchedBy };
}

async function judgeCertificate(
  ek: PublicArea,
  der: Uint8Array,
  authorityPath: string | undefined,
): Promise<string> {
  if (authorityPath === undefined) return '';
  if (der.length === 0) throw refused('its TPM has no certificate of its maker, expected one');
  const { certificate, key } = readX509(der);
  if (!key.equals(ek.key)) throw refused('the certificate is of another endorsement key');
  const authority = (await readAuthorities(authorityPath)).find(
    (each) => each.ca && certificate.checkIssued(each) && certificate.verify(each.publicKey),
  );
  if (!authority) throw refused(`no authority in ${authorityPath} has issued the certificate of its TPM`);
  const now = Date.now();
  const ends = Math.min(Date.parse(certificate.validTo), Date.parse(authority.validTo));
  if (now < Date.parse(certificate.validFrom) || now > ends) {
    throw refused('the certificate of its TPM is outside its validity');
  }
  return authority.subject.replaceAll('\n', ', ');
}

function readX509(der: Uint8Array): { certificate: X509Certificate; key: KeyObject } {
  try {
    const certificate = new X509Certificate(der);
    // The key is decoded only when it is asked for.
    return { certificate, key: certificate.publicKey };
  } catch {
    throw refused('what it shows as the certificate of its TPM is none');
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

async function readAuthorities(path: string): Promise<readonly X509Certificate[]> {
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  return (text.match(PEM) ?? []).map((pem) => {
    try {
      return new X509Certificate(pem);
    } catch (reason) {
      throw PlinthError.from(reason, 'trust/certificate-invalid', `Cannot read a certificate of ${path}`);
    }
  });
}

function refused(state: string): PlinthError {
  return new PlinthError('attest/enrolment-refused', `Cannot enrol the node: ${state}`);
}
