import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFingerprint } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno, withLock, writeFileAtomic } from '@plinth/host';
import { z } from 'zod';

const time = z.iso.datetime();
const fingerprint = z.string().refine(isFingerprint, 'expected a fingerprint');

const schema = z.strictObject({
  /** Certificates that were issued and have not expired. */
  issued: z.array(
    z.strictObject({ name: z.string(), role: z.string(), fingerprint, issuedAt: time, expiresAt: time }),
  ),
  /** Counts the lists of revocations that were signed. */
  version: z.number().int().min(0),
  revoked: z.array(
    z.strictObject({
      fingerprint: fingerprint.optional(),
      /** All certificates of a name, up to that time. */
      name: z.string().optional(),
      issuedUntil: time.optional(),
      expiresAt: time,
      reason: z.string().max(256),
    }),
  ),
});

/** What the owner issued and took back; it lies beside the keys, holds no secret, and goes where they go. */
export type Ledger = z.infer<typeof schema>;
export type Issued = Ledger['issued'][number];
export type Revoked = Ledger['revoked'][number];

const EMPTY: Ledger = { issued: [], version: 0, revoked: [] };

/** readLedger reads the ledger of a key folder; a missing one is empty. @throws access/ledger-invalid, host/io */
export async function readLedger(keyFolder: string): Promise<Ledger> {
  const path = ledgerPath(keyFolder);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return EMPTY;
    throw ioError(reason, `read ${path}`);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (reason) {
    throw PlinthError.from(reason, 'access/ledger-invalid', `Cannot use ${path}`);
  }
}

/** changeLedger reads, changes and writes the ledger while no other command does. @throws access/…, host/… */
export function changeLedger(keyFolder: string, change: (ledger: Ledger) => Ledger): Promise<Ledger> {
  const path = ledgerPath(keyFolder);
  const work = async () => {
    const next = change(await readLedger(keyFolder));
    await writeFileAtomic(path, `${JSON.stringify(next, null, 2)}\n`, 0o600);
    return next;
  };
  return withLock(`${path}.lock`, 'change the list of certificates', work, {});
}

function ledgerPath(keyFolder: string): string {
  return join(keyFolder, 'access.json');
}
