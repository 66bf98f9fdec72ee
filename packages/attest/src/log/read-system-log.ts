import { PlinthError } from '@plinth/base';
import { decodeText, encodeText, hex, sha256 } from '@plinth/formats';
import { z } from 'zod';
import { EVENT_LIMIT, type MeasuredEvent, PCR_COUNT } from './measured-event.ts';

/** systemd's whole log; a record has some 300 bytes. */
export const SYSTEM_LOG_LIMIT_BYTES = 256 * 1024;
const RECORD_SEPARATOR = '\u001e';
const TEXT_LIMIT = 4096;

const record = z.looseObject({
  pcr: z
    .int()
    .min(0)
    .max(PCR_COUNT - 1),
  digests: z
    .array(z.looseObject({ hashAlg: z.string().max(20), digest: z.string().regex(/^[0-9a-f]{0,128}$/i) }))
    .max(8),
  content: z
    .looseObject({
      eventType: z.string().max(60).optional(),
      string: z.string().max(TEXT_LIMIT).optional(),
    })
    .optional(),
});

/**
 * readSystemLog reads the log that systemd keeps of its own measurements (/run/log/systemd/tpm2-measure.log): JSON texts,
 * each begun by a record separator (RFC 7464).
 * @throws attest/log-invalid
 */
export function readSystemLog(bytes: Uint8Array): readonly MeasuredEvent[] {
  if (bytes.length > SYSTEM_LOG_LIMIT_BYTES) {
    throw invalid(`${bytes.length} bytes, expected at most ${SYSTEM_LOG_LIMIT_BYTES}`);
  }
  const [before = '', ...records] = decodeText(bytes).split(RECORD_SEPARATOR);
  if (before.trim() !== '') throw invalid('text before its first record, expected none');
  if (records.length > EVENT_LIMIT)
    throw invalid(`${records.length} records, expected at most ${EVENT_LIMIT}`);
  return records.map(readRecord);
}

function readRecord(text: string, index: number): MeasuredEvent {
  const parsed = record.safeParse(parse(text));
  const digest = parsed.data?.digests.find(({ hashAlg }) => hashAlg === 'sha256')?.digest.toLowerCase();
  if (!parsed.success || digest?.length !== 64) {
    throw invalid(`record ${index + 1} is not a measurement with SHA-256, expected one`);
  }
  const { pcr, content } = parsed.data;
  const measured = content?.string === undefined ? undefined : encodeText(content.string);
  // Where a secret is measured, such as the key of a volume, the text only says of what; the digest is another one.
  const proven = measured !== undefined && hex(sha256(measured)) === digest;
  return {
    source: 'system',
    pcr,
    type: content?.eventType ?? 'unknown',
    sha256: digest,
    ...(proven && { content: measured }),
    description: (content?.string ?? '').replace(/[^\x20-\x7e]/g, '?'),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(state: string): PlinthError {
  return new PlinthError('attest/log-invalid', `Cannot read the measurements of systemd: ${state}`);
}
