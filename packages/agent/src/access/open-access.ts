import { X509Certificate } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Revocations, type SignedRevocations, SignedRevocationsSchema } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { type CheckSpec, fail, pass } from '../checks/check.ts';
import { inTurn } from '../in-turn.ts';
import type { Caller } from '../server/caller.ts';
import { SYSTEM_STATE } from '../sys/state-folder.ts';
import type { StateStore } from '../sys/state-store.ts';
import { errorCode } from '../sys/sys.ts';
import { findRevocation, readRevocations, verifyRevocations } from './revocations.ts';

/** Who may call this node. */
export interface NodeAccess {
  readonly authorities: readonly X509Certificate[];
  /** The list in force. */
  current(): { readonly signed: SignedRevocations; readonly list: Revocations } | undefined;
  readonly persistent: boolean;
  concern(): string | undefined;
  /** Why a caller is not accepted although its certificate is valid; undefined when it is. */
  refuses(caller: Caller): string | undefined;
  /**
   * Puts a list into force and keeps it.
   * @throws access/revocations-invalid, access/revocations-unsigned, access/revocations-old
   */
  put(signed: SignedRevocations): Promise<Revocations>;
  readonly check: CheckSpec;
}

const FILE = 'access/revocations';

/**
 * openAccess reads the list that was kept. One whose authority is no longer trusted stays in force, since a list can only
 * take rights away; one that is damaged is put aside, and health says that revoked certificates may be accepted again.
 * @param authoritiesPem authorities of client certificates
 */
export async function openAccess(store: StateStore, authoritiesPem: readonly string[]): Promise<NodeAccess> {
  let held: { readonly signed: SignedRevocations; readonly list: Revocations } | undefined;
  let concern: string | undefined;
  /** Of two lists at the same time the newer one has to be the last that is written. */
  const turn = inTurn();
  try {
    const kept = await store.read(FILE);
    const signed = kept && fromBinary(SignedRevocationsSchema, kept);
    held = signed && { signed, list: readRevocations(signed.list) };
  } catch (reason) {
    concern = `the list of revocations cannot be read: ${reason instanceof Error ? reason.message : reason}`;
    await store.setAside(FILE).catch(() => {}); // the concern says what matters
  }
  const persistent = store.volatileBecause === undefined;
  const path = `${SYSTEM_STATE}/${FILE}`;
  return {
    authorities: authoritiesPem.map((pem) => new X509Certificate(pem)),
    current: () => held,
    persistent,
    concern: () => concern,
    refuses(caller) {
      const found = findRevocation(held?.list, caller);
      return found && `the certificate is revoked${found.reason === '' ? '' : `: ${found.reason}`}`;
    },
    async put(given) {
      const signed = create(SignedRevocationsSchema, { list: given.list, signature: given.signature });
      const list = verifyRevocations(signed, authoritiesPem);
      if (held && !isNewer(list, signed, held)) {
        throw new PlinthError(
          'access/revocations-old',
          `Cannot take the revocations: their version is ${list.version}, expected one above ${held.list.version}`,
        );
      }
      // In force at once, kept or not: forgetting a revocation at the next boot is better than not having it now.
      held = { signed, list };
      concern = undefined;
      await turn(() => store.write(FILE, toBinary(SignedRevocationsSchema, signed))).catch(
        (reason: unknown) => {
          concern = `the list of revocations cannot be stored: ${errorCode(reason) || reason}`;
        },
      );
      return list;
    },
    check: {
      id: 'revocations',
      expected: 'the list of revocations is in force',
      source: path,
      fix: 'Push the list again with "plinth access push".',
      observe: async () =>
        concern === undefined ? pass(held ? `version ${held.list.version}` : 'no list') : fail(concern),
    },
  };
}

/** The same list again is no error: it may be pushed to many nodes, some of which have it. */
function isNewer(
  list: Revocations,
  signed: SignedRevocations,
  held: { readonly signed: SignedRevocations; readonly list: Revocations },
): boolean {
  return list.version > held.list.version || Buffer.from(signed.list).equals(held.signed.list);
}
