import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { fingerprintOf, nodeIdOf } from '@plinth/api';
import type { StateStore } from '../sys/state-store.ts';
import { errorCode } from '../sys/sys.ts';
import { makeCertificate } from './make-certificate.ts';

/** Who the node is: a key that never leaves it. */
export interface NodeIdentity {
  /** First 32 hexadecimal digits of the SHA-256 of the public key. */
  readonly nodeId: string;
  /** "sha256:" and hex of the certificate. */
  readonly fingerprint: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Whether it is on disk and survives a reboot. */
  readonly persistent: boolean;
  /** Why the identity is lost at reboot, or had to be made anew; undefined when all is well. */
  readonly concern: string | undefined;
}

type KeyPair = Omit<NodeIdentity, 'persistent' | 'concern'>;

/** Key and certificate lie in one file, so that one rename replaces both. */
const FILE = 'identity/node.pem';

/**
 * openIdentity gives the identity of the node and makes it on first start: an ECDSA P-256 key and a self-signed
 * certificate. A stored identity that cannot be used is set aside and a new one made. One that cannot be read stays as it
 * is, and the node has another until its next start: it must not lose its identity for an error that passes. `concern`
 * says both.
 * @param hostName name in a certificate that is made now; a stored one keeps its own
 */
export async function openIdentity(store: StateStore, hostName: string): Promise<NodeIdentity> {
  let persistent = store.volatileBecause === undefined;
  let concern = store.volatileBecause;
  try {
    const stored = await store.read(FILE);
    const identity = stored && parseIdentity(stored.toString('latin1'));
    if (identity) return { ...identity, persistent, concern };
    if (stored) {
      await store.setAside(FILE);
      concern = 'the stored identity was damaged, so the node has a new one';
    }
  } catch (reason) {
    concern = `the stored identity cannot be read, so the node has another until it starts again: ${errorCode(reason) || reason}`;
    return { ...useMade(await makeIdentityPem(hostName)), persistent: false, concern };
  }
  const pem = await makeIdentityPem(hostName);
  try {
    await store.write(FILE, Buffer.from(pem));
  } catch (reason) {
    persistent = false;
    concern = `the identity cannot be stored: ${errorCode(reason) || reason}`;
  }
  return { ...useMade(pem), persistent, concern };
}

function useMade(pem: string): KeyPair {
  const made = parseIdentity(pem);
  if (!made)
    throw new Error('Cannot use the identity just made: its key and certificate do not belong together');
  return made;
}

async function makeIdentityPem(hostName: string): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = new X509Certificate(await makeCertificate(hostName, publicKey, privateKey));
  return `${privateKey.export({ type: 'pkcs8', format: 'pem' })}${certificate.toString()}`;
}

/** The identity in a PEM file; undefined when the file is not whole or its parts do not belong together. */
function parseIdentity(pem: string): KeyPair | undefined {
  try {
    const privateKey = createPrivateKey(pem);
    const certificate = new X509Certificate(pem);
    if (!certificate.checkPrivateKey(privateKey)) return undefined;
    return {
      nodeId: nodeIdOf(certificate.publicKey),
      fingerprint: fingerprintOf(certificate.raw),
      certificatePem: certificate.toString(),
      privateKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    };
  } catch {
    return undefined; // not PEM, or half a file: the caller makes a new one and says so
  }
}
