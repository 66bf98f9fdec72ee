import { createHash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { parseJson } from '../https/call-https.ts';

/** A piece of a snapshot. */
export interface SnapshotPiece {
  readonly bytes: Buffer;
  /** Bytes to come after these. */
  readonly remainingBytes: number;
}

/** etcd sends 32 KiB at a time. */
const LINE_LIMIT_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const DIGEST_BYTES = 32;
/** etcd takes a file for one with a checksum when it is that much longer than a number of disk sectors. */
const SECTOR_BYTES = 512;

const lineSchema = z.object({
  result: z.object({
    blob: z.base64().default(''),
    remaining_bytes: z.string().regex(/^\d+$/).optional(),
    remainingBytes: z.string().regex(/^\d+$/).optional(),
  }),
});

/**
 * readSnapshot reads what etcd's gateway sends: lines of JSON with pieces of the database file and, last, its SHA-256.
 * The pieces together are a snapshot file as etcdctl writes it.
 * @throws etcd/snapshot-damaged after the last piece when the checksum is not that of the rest
 */
export async function* readSnapshot(source: AsyncIterable<Buffer>): AsyncGenerator<SnapshotPiece> {
  const check = checkDigest();
  let leftBytes: number | undefined;
  for await (const line of readLines(source)) {
    const parsed = lineSchema.safeParse(parseJson(line));
    if (!parsed.success) throw damaged('etcd sent something else than a piece of it');
    const { blob, remaining_bytes, remainingBytes } = parsed.data.result;
    const bytes = Buffer.from(blob, 'base64');
    check.add(bytes);
    // etcd does not count the checksum as still to come.
    leftBytes ??= bytes.length + Number(remainingBytes ?? remaining_bytes ?? '0') + DIGEST_BYTES;
    leftBytes -= bytes.length;
    if (leftBytes < 0) throw damaged('etcd sent more than it announced');
    if (bytes.length > 0) yield { bytes, remainingBytes: leftBytes };
  }
  if (leftBytes !== 0) throw damaged('it is cut short');
  check.end();
}

/** A running check that the last 32 bytes are the SHA-256 of all before them. */
export interface DigestCheck {
  add(bytes: Uint8Array): void;
  /** @throws etcd/snapshot-damaged */
  end(): void;
}

/** checkDigest checks a snapshot as its pieces come; it keeps no more than the last 32 bytes. */
export function checkDigest(): DigestCheck {
  const hash = createHash('sha256');
  let tail = Buffer.alloc(0);
  let sizeBytes = 0;
  return {
    add(bytes) {
      sizeBytes += bytes.length;
      const held = Buffer.concat([tail, bytes]);
      const safe = Math.max(0, held.length - DIGEST_BYTES);
      hash.update(held.subarray(0, safe));
      tail = Buffer.from(held.subarray(safe));
    },
    end() {
      if (sizeBytes % SECTOR_BYTES !== DIGEST_BYTES) throw damaged('it is cut short or has no checksum');
      if (!hash.digest().equals(tail)) throw damaged('its checksum is that of other data');
    },
  };
}

async function* readLines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...pending, chunk.subarray(start, end)]);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    pendingBytes += rest.length;
    if (pendingBytes > LINE_LIMIT_BYTES) throw damaged('etcd sent a piece above the limit');
    if (rest.length > 0) pending.push(rest);
  }
  if (pendingBytes > 0) yield Buffer.concat(pending);
}

function damaged(state: string): PlinthError {
  return new PlinthError(
    'etcd/snapshot-damaged',
    `Cannot use the snapshot: ${state}, expected a database with its SHA-256`,
  );
}
