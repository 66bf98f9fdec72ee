import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import {
  GetVarKeysResponseSchema,
  RecoveryKeyState,
  RenewRecoveryKeyResponseSchema,
  ResealResponseSchema,
  TakeRecoveryKeyResponseSchema,
  VarKeyKind,
  VarKeyService,
  type VarKeySlotSchema,
} from '@plinth/api';
import { refusing, type Statuses } from '../refuse.ts';
import { callerKey, requireRole } from '../server/guard.ts';
import type { KeySlot } from './luks-header.ts';
import type { VarKeys } from './open-var-keys.ts';
import { RESEAL_SECONDS } from './reseal-command.ts';

const STATUSES: Statuses = {
  'var-key/not-encrypted': Code.FailedPrecondition,
  'var-key/no-recovery-key': Code.NotFound,
  'var-key/already-taken': Code.FailedPrecondition,
  'var-key/bad-key': Code.InvalidArgument,
  'var-key/reseal-failed': Code.Unavailable,
};
const KINDS = {
  tpm2: VarKeyKind.TPM2,
  recovery: VarKeyKind.RECOVERY,
  other: VarKeyKind.OTHER,
} as const;
const STATES = {
  none: RecoveryKeyState.NONE,
  kept: RecoveryKeyState.KEPT,
  taken: RecoveryKeyState.TAKEN,
} as const;

/** varKeyService gives the routes of plinth.node.v1.VarKeyService. */
export function varKeyService(keys: VarKeys): (router: ConnectRouter) => void {
  return (router) => {
    router.service(
      VarKeyService,
      {
        getVarKeys: () =>
          refusing(STATUSES, async () => {
            const { slots, volumeId, open, recovery } = await keys.view();
            const escrow = recovery.state === 'none' ? undefined : recovery.escrow;
            return create(GetVarKeysResponseSchema, {
              ...{ encrypted: slots !== undefined, open, slots: (slots ?? []).map(slotMessage) },
              recovery: STATES[recovery.state],
              ...(recovery.state === 'taken' && {
                takenAt: timestampFromMs(recovery.takenAtMs),
                takenBy: recovery.takenBy,
              }),
              volumeId: volumeId ?? '',
              ...(escrow && {
                escrow: {
                  ...{ place: escrow.place, volumeId: escrow.volumeId },
                  takenAt: timestampFromMs(escrow.atMs),
                },
              }),
            });
          }),
        takeRecoveryKey: (_, { values }) =>
          refusing(STATUSES, async () => {
            const by = requireRole(values.get(callerKey)).commonName;
            return create(TakeRecoveryKeyResponseSchema, { recoveryKey: await keys.takeRecoveryKey(by) });
          }),
        renewRecoveryKey: () =>
          refusing(STATUSES, async () => {
            await keys.renewRecoveryKey();
            return create(RenewRecoveryKeyResponseSchema);
          }),
        reseal: ({ recoveryKey }) =>
          refusing(STATUSES, async () =>
            create(ResealResponseSchema, { slots: (await keys.reseal(recoveryKey)).map(slotMessage) }),
          ),
      },
      { maxTimeoutMs: (RESEAL_SECONDS + 60) * 1000 },
    );
  };
}

function slotMessage({
  slot,
  kind,
  signedPcrs,
  literalPcrs,
}: KeySlot): MessageInitShape<typeof VarKeySlotSchema> {
  return { slot, kind: KINDS[kind], signedPcrs: [...signedPcrs], literalPcrs: [...literalPcrs] };
}
