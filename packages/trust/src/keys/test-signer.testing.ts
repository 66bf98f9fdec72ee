import { generateKeyPairSync, sign } from 'node:crypto';
import { localSigner, type Signer } from '../signer.ts';
import { makeCertificate } from './make-certificate.ts';

/** testSigner makes an RSA key with its self-signed certificate, in memory only. */
export async function testSigner(commonName: string): Promise<Signer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = await makeCertificate(
    {
      commonName,
      organisation: 'Test',
      publicKey,
      usage: 'signing',
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2050-01-01T00:00:00Z'),
    },
    { keyType: 'rsa', sign: async (data) => new Uint8Array(sign('sha256', data, privateKey)) },
  );
  return localSigner(privateKey, certificate);
}
