import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { StateStore } from '../sys/state-store.ts';
import { readText, type Sys } from '../sys/sys.ts';

/** Where the initrd leaves a recovery key that it has made, in memory (os/initrd/units/plinth-var-recovery.service). */
export const PRINTED_KEY = '/run/plinth/var-key/recovery-key';
/** In plinthd's folder. While it is there, no start makes another key: the unit looks for it. */
const STORED = 'recovery-key.json';
/** systemd-cryptenroll(1): 256 bits in eight groups of eight letters of the modhex alphabet. */
const RECOVERY_KEY = /^[cbdefghijklnrtuv]{8}(-[cbdefghijklnrtuv]{8}){7}$/;

const escrowSchema = z.object({
  /** The object of the cluster that holds it. */
  place: z.string(),
  /** UUID of the volume that it opens, and its name in the object. */
  volumeId: z.string(),
  /** When the cluster last took it. */
  atMs: z.number(),
});
const storedSchema = z.discriminatedUnion('state', [
  z.object({
    ...{ state: z.literal('kept'), key: z.string().regex(RECOVERY_KEY), escrow: escrowSchema.optional() },
  }),
  z.object({
    ...{ state: z.literal('taken'), takenAtMs: z.number(), takenBy: z.string() },
    escrow: escrowSchema.optional(),
  }),
]);

/** Where in the cluster a recovery key lies as well. */
export type Escrow = Readonly<z.infer<typeof escrowSchema>>;

/** Where the recovery key is. */
export type RecoveryState =
  | { readonly state: 'none' }
  | { readonly state: 'kept'; readonly escrow?: Escrow | undefined }
  | {
      readonly state: 'taken';
      readonly takenAtMs: number;
      readonly takenBy: string;
      readonly escrow?: Escrow | undefined;
    };

/** The recovery key of /var as the node keeps it. It lies on /var itself: whoever reads it has /var open already. */
export interface RecoveryKey {
  state(): Promise<RecoveryState>;
  /** Gives the key once. @throws var-key/no-recovery-key, var-key/already-taken */
  take(by: string): Promise<string>;
  /** Lets the next start make another one. */
  renew(): Promise<void>;
  /** Hands the key to somebody who brings it into the cluster, and notes where it then lies; nothing where none is kept. */
  escrow(bring: (key: string, before: Escrow | undefined) => Promise<Escrow | undefined>): Promise<void>;
}

/** isRecoveryKey tells whether a text has the form of a recovery key. */
export function isRecoveryKey(text: string): boolean {
  return RECOVERY_KEY.test(text);
}

/**
 * openRecoveryKey takes over what the initrd has printed, if it has. A /var that keeps nothing keeps no key either: the next start
 * makes another.
 * @param discard removes the printed key
 */
export async function openRecoveryKey(parts: {
  readonly sys: Pick<Sys, 'readFile' | 'nowMs'>;
  readonly store: StateStore;
  discard(): Promise<void>;
}): Promise<RecoveryKey> {
  const { sys, store } = parts;
  const printed = (await readText(sys, PRINTED_KEY).catch(() => undefined))?.trim();
  if (printed !== undefined && isRecoveryKey(printed) && store.volatileBecause === undefined) {
    await write(store, { state: 'kept', key: printed });
    await parts.discard();
  }
  return {
    state: async () => {
      const stored = await read(store);
      if (stored?.state === 'kept') return { state: 'kept', escrow: stored.escrow };
      return stored ?? { state: 'none' };
    },
    take: async (by) => {
      const stored = await read(store);
      if (!stored)
        throw new PlinthError(
          'var-key/no-recovery-key',
          'Cannot give the recovery key: the node has none, expected one that the first start made',
        );
      if (stored.state === 'taken')
        throw new PlinthError(
          'var-key/already-taken',
          `Cannot give the recovery key: ${stored.takenBy} took it at ${new Date(stored.takenAtMs).toISOString()}, expected nobody to have`,
        );
      // First forgotten, then given: a power cut between the two costs a reboot for a new key, and never gives it twice.
      const { escrow } = stored;
      await write(store, { state: 'taken', takenAtMs: sys.nowMs(), takenBy: by, ...(escrow && { escrow }) });
      return stored.key;
    },
    renew: () => store.remove(STORED),
    escrow: async (bring) => {
      const stored = await read(store);
      if (stored?.state !== 'kept') return;
      const escrow = await bring(stored.key, stored.escrow);
      if (escrow) await write(store, { ...stored, escrow });
    },
  };
}

async function read(store: StateStore): Promise<z.infer<typeof storedSchema> | undefined> {
  const bytes = await store.read(STORED);
  if (!bytes) return undefined;
  try {
    return storedSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    // Of a later version, or damaged: it gives no key, and is left for the next start to replace.
    await store.setAside(STORED);
    return undefined;
  }
}

function write(store: StateStore, stored: z.infer<typeof storedSchema>): Promise<void> {
  return store.write(STORED, Buffer.from(`${JSON.stringify(stored)}\n`));
}
