import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { StartAuthorization } from '@plinth/api';
import { type ErrorCode, PlinthError } from '@plinth/base';
import { z } from 'zod';

/** How a permission for one start is stored with the act that it permits. */
export const authorizationSchema = z.object({
  /** The kernel's boot id. */
  bootId: z.string(),
  rootHash: z.string(),
  notAfterMs: z.number(),
  nonce: z.string(),
});
export type Authorization = z.infer<typeof authorizationSchema>;

/** What a permission is held against. */
export interface AuthorizedStart {
  readonly bootId: string;
  /** Of this start of the system: another one after a soft-reboot, in which the kernel's boot id stays. */
  readonly startId: string;
  readonly nowMs: number;
  /** The last act on the machine, as far as it had a permission. */
  readonly last: { readonly bootId: string; readonly authorization?: Authorization | undefined } | undefined;
}

/** What an unbounded text would do in a record. */
const NONCE_LIMIT = 64;

/** authorizationOf reads what came over the wire; undefined where nothing came. @throws machine/bad-request */
export function authorizationOf(sent: StartAuthorization | undefined): Authorization | undefined {
  if (!sent) return undefined;
  const { bootId, rootHash, notAfter, nonce } = sent;
  const notAfterMs = notAfter ? timestampMs(notAfter) : Number.NaN;
  const isWhole = bootId !== '' && /^[0-9a-f]{64}$/.test(rootHash) && Number.isFinite(notAfterMs);
  if (!isWhole || !/^[\w.:-]+$/.test(nonce) || nonce.length > NONCE_LIMIT)
    throw new PlinthError(
      'machine/bad-request',
      'Cannot reboot the node: its authorization lacks something, expected boot id, root hash, end and nonce',
    );
  return { bootId, rootHash, notAfterMs, nonce };
}

/**
 * assertAuthorized refuses a start that was not permitted for this boot, or is asked for too late; pure. A boot id is used up by its end; where a
 * soft-reboot keeps it, the act that is remembered tells. @throws machine/authorization-stale, machine/authorization-late
 */
export function assertAuthorized(given: Authorization, start: AuthorizedStart): void {
  if (given.bootId !== start.bootId)
    throw refusal(
      'machine/authorization-stale',
      `its authorization is for boot ${given.bootId.slice(0, 64)}, and this is ${start.bootId}`,
    );
  const { last } = start;
  if (last?.authorization?.nonce === given.nonce && last.bootId !== start.startId)
    throw refusal('machine/authorization-stale', 'its authorization was used by the start before this one');
  if (!(start.nowMs < given.notAfterMs))
    throw refusal(
      'machine/authorization-late',
      `its authorization ended at ${new Date(given.notAfterMs).toISOString()}, and it is ${new Date(start.nowMs).toISOString()}`,
    );
}

/** assertAuthorizedRoot refuses a start of another system than was permitted; pure. @throws machine/authorization-stale */
export function assertAuthorizedRoot(given: Authorization | undefined, nextRootHash: string): void {
  if (given && given.rootHash !== nextRootHash)
    throw refusal(
      'machine/authorization-stale',
      `its authorization is for root hash ${given.rootHash}, and ${nextRootHash || 'none that is known'} would start`,
    );
}

function refusal(code: ErrorCode, state: string): PlinthError {
  return new PlinthError(code, `Cannot reboot the node: ${state}, expected one for this start`);
}
