import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { keyBindingOf } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { exportJWK, type JWK, SignJWT } from 'jose';

/** A key that an issuer of tests signs with. */
export interface SigningKey {
  readonly jwk: JWK;
  readonly key: KeyObject;
}

export async function signingKey(kid: string): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { jwk: { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }, key: privateKey };
}

/** A key of a person, and how it goes over the wire. */
export function holder() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    nonce: keyBindingOf(publicKey),
  };
}

/** A token of our own making for the client "plinth", to bend it: claims and header win. */
export function forged(
  issuer: string,
  key: KeyObject,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, string>> = {},
): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const usual = { iss: issuer, aud: 'plinth', sub: 'ann', iat: nowSeconds, exp: nowSeconds + 3600 };
  return new SignJWT({ ...usual, groups: ['platform-admins'], ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'first', ...header })
    .sign(key);
}

/** The error that a piece of work ends with. */
export async function refusal(work: Promise<unknown>): Promise<PlinthError> {
  try {
    await work;
  } catch (reason) {
    assert.ok(reason instanceof PlinthError, String(reason));
    return reason;
  }
  assert.fail('expected a refusal');
}
