import { rm, writeFile } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { inTurn } from '../in-turn.ts';
import { HOST_MOUNTS } from '../integrity/root-checks.ts';
import { mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import { collectSlots } from '../reports/slots.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { HEADER_LIMIT_BYTES, headerSize, type KeySlot, parseKeySlots, volumeId } from './luks-header.ts';
import {
  isRecoveryKey,
  openRecoveryKey,
  PRINTED_KEY,
  type RecoveryKey,
  type RecoveryState,
} from './recovery-key.ts';
import { enrolCommand, forgetCommand, RESEAL_SECONDS, UNLOCK_KEY } from './reseal-command.ts';

/** What opens /var, as the disk and the kernel have it. */
export interface VarKeysView {
  /** Undefined where the partition of /var carries no LUKS2, or there is none. */
  readonly slots: readonly KeySlot[] | undefined;
  /** UUID of the volume: by it its recovery key is found in the cluster. */
  readonly volumeId: string | undefined;
  /** What is mounted at /var is what the keys open. */
  readonly open: boolean;
  readonly recovery: RecoveryState;
}

/** The keys of /var. */
export interface VarKeys {
  view(): Promise<VarKeysView>;
  /** @throws var-key/not-encrypted, var-key/no-recovery-key, var-key/already-taken */
  takeRecoveryKey(by: string): Promise<string>;
  /** @throws var-key/not-encrypted */
  renewRecoveryKey(): Promise<void>;
  /** Also while /var is closed. @throws var-key/not-encrypted, var-key/bad-key, var-key/reseal-failed */
  reseal(recoveryKey: string): Promise<readonly KeySlot[]>;
  /**
   * Brings a recovery key that the node keeps into the cluster: when it is not there yet, and every six hours again, for what the
   * cluster holds may have been deleted or restored. Errors: those of `bring`.
   * @param bring takes the key of a volume into the cluster. @returns the object that holds it
   */
  escrow(bring: (volumeId: string, recoveryKey: string) => Promise<string>): Promise<void>;
}

export interface VarKeysParts {
  readonly sys: Sys;
  readonly store: StateStore;
  /** Default: the node's own files. */
  readonly files?: {
    discardPrinted(): Promise<void>;
    writeUnlock(key: string): Promise<void>;
    removeUnlock(): Promise<void>;
  };
}

/** The cluster takes the key again after that. */
const ESCROW_AGAIN_MS = 6 * 3_600_000;

const NODE_FILES = {
  discardPrinted: () => rm(PRINTED_KEY, { force: true }),
  writeUnlock: (key: string) => writeFile(UNLOCK_KEY, key, { mode: 0o600 }),
  removeUnlock: () => rm(UNLOCK_KEY, { force: true }),
};

/** openVarKeys opens the keys of this node's /var, and keeps the recovery key that its initrd may have made. */
export async function openVarKeys({ sys, store, files = NODE_FILES }: VarKeysParts): Promise<VarKeys> {
  const key: RecoveryKey = await openRecoveryKey({ sys, store, discard: files.discardPrinted });
  const turn = inTurn();
  const encrypted = async () => {
    const found = await readVolume(sys);
    if (found) return found;
    throw new PlinthError(
      'var-key/not-encrypted',
      'Cannot use the keys of /var: its partition carries no LUKS2, expected an encrypted /var',
    );
  };
  return {
    view: async () => {
      const [volume, open, recovery] = await Promise.all([readVolume(sys), isOpen(sys), key.state()]);
      return { slots: volume?.slots, volumeId: volume?.id, open, recovery };
    },
    escrow: (bring) =>
      turn(async () => {
        const id = (await readVolume(sys))?.id;
        if (id === undefined) return;
        await key.escrow(async (recoveryKey, before) => {
          const ageMs = before?.volumeId === id ? sys.nowMs() - before.atMs : Number.NaN;
          // A clock that went back is no reason to wait.
          if (ageMs >= 0 && ageMs < ESCROW_AGAIN_MS) return undefined;
          return { place: await bring(id, recoveryKey), volumeId: id, atMs: sys.nowMs() };
        });
      }),
    takeRecoveryKey: (by) =>
      turn(async () => {
        await encrypted();
        return key.take(by);
      }),
    renewRecoveryKey: () =>
      turn(async () => {
        await encrypted();
        await key.renew();
      }),
    reseal: (recoveryKey) =>
      turn(async () => {
        const volume = await encrypted();
        if (!isRecoveryKey(recoveryKey))
          throw badKey('it has another form, expected eight groups of eight letters');
        try {
          await files.writeUnlock(recoveryKey);
          await sealAnew(sys, volume);
        } finally {
          await files.removeUnlock();
        }
        return (await encrypted()).slots;
      }),
  };
}

/**
 * Makes a slot of the TPM that is there. When the slots of a TPM are the same afterwards, nothing was made (see enrolCommand): then they
 * go first. By then the key has proven to be good, and it is all that opens /var until the new slot is made.
 */
async function sealAnew(sys: Sys, { partition, slots }: Volume): Promise<void> {
  const run = async ([program, args]: ReturnType<typeof enrolCommand>) => {
    const timeoutMs = (RESEAL_SECONDS + 30) * 1000;
    const { exitCode, stderr } = await sys.run(program, args, { timeoutMs });
    if (exitCode !== 0) throw refusalOf(exitCode, stderr);
  };
  await run(enrolCommand(partition));
  if (tpmSlots(slots) !== tpmSlots((await readVolume(sys))?.slots)) return;
  await run(forgetCommand(partition));
  await run(enrolCommand(partition));
}

function tpmSlots(slots: readonly KeySlot[] = []): string {
  return slots.flatMap(({ slot, kind }) => (kind === 'tpm2' ? [slot] : [])).join(',');
}

interface Volume {
  readonly partition: string;
  readonly slots: readonly KeySlot[];
  readonly id: string | undefined;
}

/** The partition of /var, where it carries LUKS2. */
async function readVolume(sys: Sys): Promise<Volume | undefined> {
  const { otherPartitions } = await collectSlots(sys);
  const found = otherPartitions.find(({ role }) => role === 'var');
  if (!found) return undefined;
  const partition = `/dev/${found.device}`;
  const begin = await sys.readRange(partition, 0, 4096);
  const size = headerSize(begin);
  if (size === undefined) return undefined;
  const slots = parseKeySlots(await sys.readRange(partition, 0, Math.min(size, HEADER_LIMIT_BYTES)));
  return slots && { partition, slots, id: volumeId(begin) };
}

async function isOpen(sys: Sys): Promise<boolean> {
  const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
  const device = mountHolding(mounts, '/var')?.device;
  const uuid = device && (await readText(sys, `/sys/dev/block/${device}/dm/uuid`));
  return uuid?.startsWith('CRYPT-LUKS2-') ?? false;
}

/** In the words of cryptsetup for EPERM, which systemd-cryptenroll gives where no slot opens. */
function refusalOf(exitCode: number, stderr: string): PlinthError {
  if (/Operation not permitted|Password incorrect|No key available/i.test(stderr))
    return badKey('it opens no key slot, expected the recovery key of this /var');
  const words = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return new PlinthError(
    'var-key/reseal-failed',
    `Cannot seal /var to the TPM: systemd-cryptenroll ended with ${exitCode}: ${words}`,
  );
}

function badKey(state: string): PlinthError {
  return new PlinthError('var-key/bad-key', `Cannot use the recovery key: ${state}`);
}
