import { type KeyObject, timingSafeEqual } from 'node:crypto';
import { keyBindingOf } from '@plinth/api';
import { messageOf, PlinthError } from '@plinth/base';
import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { IssuerKeys } from './issuer-keys.ts';
import type { OidcSettings } from './judge-claims.ts';

/** Signatures with a public key; never "none", and none with a shared secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** A token is exchanged when it was just given. */
const AGE_LIMIT = '10m';
const CLOCK_SKEW_SECONDS = 60;
const TOKEN_LIMIT_CHARS = 16 * 1024;

/**
 * verifyToken checks an ID token (OpenID Connect Core 1.0, 3.1.3.7): signature by a key of the issuer, issuer, audience,
 * expiry, age, and that its nonce names the key of its holder where it has one or has to.
 * @throws access/token-refused, access/issuer-unreachable
 */
export async function verifyToken(
  token: string,
  holder: KeyObject,
  settings: OidcSettings,
  keys: IssuerKeys,
  nowMs: number,
): Promise<JWTPayload> {
  if (token.length > TOKEN_LIMIT_CHARS) throw refused(`it has more than ${TOKEN_LIMIT_CHARS} characters`);
  const verify = async (unknownKey: boolean) =>
    jwtVerify(token, createLocalJWKSet(await keys.get(unknownKey)), {
      ...{ issuer: settings.issuer, audience: settings.clientId, algorithms: ALGORITHMS },
      ...{ maxTokenAge: AGE_LIMIT, clockTolerance: CLOCK_SKEW_SECONDS, currentDate: new Date(nowMs) },
      requiredClaims: ['sub', 'exp', 'iat'],
    });
  try {
    const { payload } = await verify(false).catch((reason: unknown) => {
      if (reason instanceof errors.JWKSNoMatchingKey) return verify(true);
      throw reason;
    });
    checkParty(payload, settings.clientId);
    checkBinding(payload, holder, settings.requireKeyBinding);
    return payload;
  } catch (reason) {
    throw reason instanceof PlinthError ? reason : refused(wordsFor(reason));
  }
}

/** A token for several audiences says for whom it was made. */
function checkParty({ aud, azp }: JWTPayload, clientId: string): void {
  const many = Array.isArray(aud) && aud.length > 1;
  if ((many || azp !== undefined) && azp !== clientId) throw refused('it was made for another client');
}

/** A nonce that names another key is never fine, also where none is needed. */
function checkBinding({ nonce }: JWTPayload, holder: KeyObject, required: boolean): void {
  if (nonce === undefined && !required) return;
  const expected = Buffer.from(keyBindingOf(holder));
  const found = Buffer.from(typeof nonce === 'string' ? nonce : '');
  if (found.length === expected.length && timingSafeEqual(found, expected)) return;
  throw refused(
    nonce === undefined ? 'it has no nonce, expected one that names the key' : 'its nonce names another key',
  );
}

/** Never the token itself, nor what stands in it. */
function wordsFor(reason: unknown): string {
  if (reason instanceof errors.JWTExpired) return 'it has expired, or is older than 10 minutes';
  if (reason instanceof errors.JWTClaimValidationFailed)
    return `its claim "${reason.claim}" is not what it has to be`;
  if (reason instanceof errors.JWSSignatureVerificationFailed)
    return 'its signature is not by a key of the issuer';
  if (reason instanceof errors.JWKSNoMatchingKey) return 'the issuer has no such key';
  if (reason instanceof errors.JWKSMultipleMatchingKeys)
    return 'the issuer has several keys it could be signed by';
  if (reason instanceof errors.JOSEAlgNotAllowed) return 'it is signed in a way that is not accepted';
  if (reason instanceof errors.JOSEError) return 'it is no signed token';
  return `it cannot be checked: ${messageOf(reason)}`;
}

function refused(state: string): PlinthError {
  return new PlinthError('access/token-refused', `Cannot take the token: ${state}`);
}
