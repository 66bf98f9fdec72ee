import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import { ExchangeTokenResponseSchema, GetLoginResponseSchema, LoginService } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { secondsOf } from '@plinth/config';
import { inTurn } from '../../in-turn.ts';
import { openCallRate } from '../../server/call-rate.ts';
import { auditNoteKey } from '../../server/call-record.ts';
import { callerKey, requireRole } from '../../server/guard.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { judgeClaims, type OidcSettings } from './judge-claims.ts';
import { readHolderKey, type SessionAuthority } from './session-authority.ts';
import { verifyToken } from './verify-token.ts';

export interface LoginParts {
  readonly settings: OidcSettings;
  readonly keys: IssuerKeys;
  readonly authority: SessionAuthority;
  readonly nowMs: () => number;
}

/** A person logs in a few times a day; checking a token costs milliseconds. */
const RATE = { perSecond: 1, burst: 10 };
const LEAST_TTL_MS = 60_000;
/** A client's clock may be behind. */
const CLOCK_SKEW_MS = 60_000;
const USED_LIMIT = 10_000;

/** loginService gives the routes of plinth.node.v1.LoginService. */
export function loginService({
  settings,
  keys,
  authority,
  nowMs,
}: LoginParts): (router: ConnectRouter) => void {
  const rate = openCallRate(RATE, () => performance.now());
  const turn = inTurn();
  const once = takenOnce(nowMs);
  const maxTtlMs = (secondsOf(settings.maxTtl) ?? 0) * 1000;
  const routes: ServiceImpl<typeof LoginService> = {
    getLogin: () =>
      create(GetLoginResponseSchema, {
        issuer: settings.issuer,
        clientId: settings.clientId,
        certificateAuthority: settings.certificateAuthority,
        scopes: [...settings.scopes],
        requiresKeyBinding: settings.requireKeyBinding,
        maxTtl: durationFromMs(maxTtlMs),
      }),
    async exchangeToken({ idToken, publicKey, ttl }, context) {
      if (rate(requireRole(context.values.get(callerKey)).commonName) !== 'ok')
        throw new ConnectError('too many logins from one address, expected fewer', Code.ResourceExhausted);
      const askedMs = ttl ? durationMs(ttl) : maxTtlMs;
      if (!(askedMs >= LEAST_TTL_MS)) throw new ConnectError('ttl is below 1 min', Code.InvalidArgument);
      const holder = readHolderKey(publicKey);
      // One after the other: strangers must not keep all of the processor busy.
      const claims = await turn(() => verifyToken(idToken, holder, settings, keys, nowMs()));
      const verdict = judgeClaims(claims, settings);
      const note = context.values.get(auditNoteKey);
      note.text = `subject=${JSON.stringify(String(claims.sub).slice(0, 64))}`;
      if (!verdict.ok)
        throw new PlinthError('access/no-role', `Cannot let the holder of the token in: ${verdict.reason}`);
      const now = nowMs();
      const tokenEndMs = (claims.exp ?? 0) * 1000;
      const policyEndMs = settings.endWithToken ? tokenEndMs : Number.POSITIVE_INFINITY;
      const notAfterMs = Math.min(now + Math.min(askedMs, maxTtlMs), policyEndMs);
      if (notAfterMs - now < LEAST_TTL_MS)
        throw new PlinthError('access/token-refused', 'Cannot take the token: it ends in less than a minute');
      // A token that names its key is of no use to anybody else, and may be sent again where an answer was lost.
      if (claims['nonce'] === undefined && !once(idToken, tokenEndMs))
        throw new PlinthError('access/token-refused', 'Cannot take the token: it was exchanged already');
      const { name, role } = verdict;
      const made = await authority.issue({
        ...{ commonName: name, role, publicKey: holder, notBeforeMs: now - CLOCK_SKEW_MS, notAfterMs },
      });
      const until = new Date(notAfterMs).toISOString();
      note.text += ` name=${name} issued=${role} serial=${made.serial} until=${until} certificate=${made.fingerprint}`;
      return create(ExchangeTokenResponseSchema, {
        ...{ certificate: made.certificatePem, name, role, notAfter: timestampFromMs(notAfterMs) },
      });
    },
  };
  return (router) => {
    router.service(LoginService, routes);
  };
}

/** Remembers tokens until they expire; where there are too many nothing more is taken, rather than one a second time. */
function takenOnce(nowMs: () => number): (token: string, endsMs: number) => boolean {
  const used = new Map<string, number>();
  return (token, endsMs) => {
    for (const [hash, end] of used) if (end + 2 * CLOCK_SKEW_MS < nowMs()) used.delete(hash);
    const hash = createHash('sha256').update(token).digest('hex');
    if (used.has(hash) || used.size >= USED_LIMIT) return false;
    used.set(hash, endsMs);
    return true;
  };
}
