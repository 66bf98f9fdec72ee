import { type KeyObject, sign, verify } from 'node:crypto';
import { messageOf, PlinthError } from '@plinth/base';
import { run } from '@plinth/host';
import { type Certificate, publicKeyId, readCertificate } from './certificate.ts';

/** Something that can sign, wherever its private key is. */
export interface Signer {
  readonly certificate: Certificate;
  readonly certificateDer: Uint8Array;
  readonly certificatePem: string;
  /** SHA-256 of the public key, hex. */
  readonly keyId: string;
  /**
   * Signs data (not its digest) with SHA-256: RSA PKCS #1 v1.5, so the same data always gives the same signature;
   * ECDSA in DER for elliptic keys.
   * @throws trust/signing-failed
   */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/**
 * localSigner signs with a private key in memory.
 * @throws trust/key-unreadable when key and certificate are no pair
 */
export function localSigner(privateKey: KeyObject, certificate: Certificate): Signer {
  const probe = new Uint8Array(1);
  if (!verify('sha256', probe, certificate.publicKey, sign('sha256', probe, privateKey))) {
    throw new PlinthError(
      'trust/key-unreadable',
      `Cannot sign with the key of ${certificate.subject}: it does not belong to its certificate, expected a pair`,
      { hint: 'Restore the key and its certificate from the same copy.' },
    );
  }
  return signerOf(certificate, async (data) => new Uint8Array(sign('sha256', data, privateKey)));
}

export interface ExternalSignerOptions {
  readonly certificate: string | Uint8Array;
  /** Program and arguments; it gets the data on standard input and writes the bare signature to standard output. */
  readonly command: readonly [string, ...string[]];
  readonly timeoutMs?: number;
}

/**
 * externalSigner signs with a program, for keys that live in an HSM or behind PKCS #11. Each signature is checked
 * against the certificate before it is used.
 * @throws trust/certificate-invalid; signing throws trust/signing-failed
 */
export function externalSigner(options: ExternalSignerOptions): Signer {
  const certificate = readCertificate(options.certificate);
  const [program, ...args] = options.command;
  return signerOf(certificate, async (data) => {
    const prefix = `Cannot sign with ${program}`;
    const result = await run(program, args, { input: data, timeoutMs: options.timeoutMs ?? 120_000 }).catch(
      (reason: unknown) => {
        const detail = messageOf(reason);
        throw new PlinthError('trust/signing-failed', `${prefix}: ${detail}`, { cause: reason });
      },
    );
    if (verify('sha256', data, certificate.publicKey, result.stdout)) return new Uint8Array(result.stdout);
    throw new PlinthError(
      'trust/signing-failed',
      `${prefix}: its output is no signature by ${certificate.subject}, expected a bare SHA-256 signature`,
    );
  });
}

function signerOf(certificate: Certificate, signData: Signer['sign']): Signer {
  return {
    certificate,
    certificateDer: certificate.der,
    certificatePem: certificate.pem,
    keyId: publicKeyId(certificate.publicKey),
    sign: signData,
  };
}
