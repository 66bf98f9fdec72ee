import { messageOf, PlinthError } from '@plinth/base';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { getAddress } from '../../config/sources/http-get.ts';

/** The issuer as the machine config names it. */
export interface IssuerAddress {
  readonly issuer: string;
  /** Who vouches for its server, PEM; nobody else does. */
  readonly certificateAuthority: string;
}

/** The keys an issuer signs with. */
export interface IssuerKeys {
  /**
   * The keys now. `unknownKey`: a token names a key that is not among those given before, so the issuer is asked again, but
   * not for each such token.
   * @throws access/issuer-unreachable when none are known, or they are too old to be believed
   */
  get(unknownKey: boolean): Promise<JSONWebKeySet>;
}

export interface IssuerKeysParts {
  /** Milliseconds that only grow. */
  readonly nowMs?: () => number;
  readonly fetch?: (url: URL, caPem: string) => Promise<unknown>;
}

/** Asked again after this time, so that a key that was withdrawn is forgotten. */
const FRESH_MS = 3600_000;
/** Between two questions because of keys nobody knows: anybody can make up such a token. */
const AGAIN_MS = 30_000;
/** As long known keys hold while the issuer does not answer. */
const KEYS_HOLD_MS = 24 * FRESH_MS;
const TIMEOUT_MS = 10_000;
const LIMIT_BYTES = 256 * 1024;

const discovery = z.looseObject({ issuer: z.string().max(512), jwks_uri: z.string().max(2048) });
const keySet = z.object({
  keys: z.array(z.looseObject({ kty: z.string().max(16), kid: z.string().max(256).optional() })).max(64),
});

/**
 * openIssuerKeys knows the keys of an issuer: found by its discovery document (OpenID Connect Discovery 1.0), kept for an
 * hour, asked for anew when a token names an unknown one. While the issuer does not answer the known ones hold for a day.
 */
export function openIssuerKeys(at: IssuerAddress, parts: IssuerKeysParts = {}): IssuerKeys {
  const { nowMs = () => performance.now(), fetch = fetchJson } = parts;
  let known: { readonly keys: JSONWebKeySet; readonly atMs: number } | undefined;
  let triedMs = Number.NEGATIVE_INFINITY;
  let failure = '';
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    triedMs = nowMs();
    try {
      known = { keys: await fetchKeys(at, fetch), atMs: nowMs() };
      failure = '';
    } catch (reason) {
      failure = messageOf(reason);
    }
  };

  return {
    async get(unknownKey) {
      const isOld = !known || nowMs() - known.atMs > FRESH_MS;
      if ((isOld || unknownKey) && (!known || nowMs() - triedMs > AGAIN_MS || asking)) {
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        await asking;
      }
      if (known && nowMs() - known.atMs <= KEYS_HOLD_MS) return known.keys;
      throw new PlinthError(
        'access/issuer-unreachable',
        `Cannot check the token: the issuer ${at.issuer} does not give its keys: ${failure || 'they are older than a day'}`,
        { retryable: true },
      );
    },
  };
}

async function fetchKeys(
  { issuer, certificateAuthority }: IssuerAddress,
  fetch: (url: URL, caPem: string) => Promise<unknown>,
): Promise<JSONWebKeySet> {
  const url = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const found = discovery.safeParse(await fetch(url, certificateAuthority));
  if (!found.success) throw new Error('its discovery document is none');
  if (found.data.issuer !== issuer) throw new Error('its discovery document is of another issuer');
  const at = URL.canParse(found.data.jwks_uri) ? new URL(found.data.jwks_uri) : undefined;
  if (at?.protocol !== 'https:') throw new Error('its keys are not at an https address');
  const keys = keySet.safeParse(await fetch(at, certificateAuthority));
  if (!keys.success) throw new Error('its keys are no key set of at most 64 keys');
  return keys.data as JSONWebKeySet;
}

/** One bounded request over TLS of the one authority; no redirect is followed and no proxy used. */
async function fetchJson(url: URL, caPem: string): Promise<unknown> {
  const answer = await getAddress(url, {
    ...{ timeoutMs: TIMEOUT_MS, limitBytes: LIMIT_BYTES, caPem },
    headers: { accept: 'application/json' },
  });
  if (answer.status !== 200) throw new Error(`it answers with status ${answer.status}`);
  try {
    return JSON.parse(answer.body.toString('utf8')) as unknown;
  } catch {
    throw new Error('its answer is no JSON');
  }
}
