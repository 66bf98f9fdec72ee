import { open } from 'node:fs/promises';
import { GUEST_REPORT_LIMIT_BYTES, type GuestVerdict, judgeGuestReport } from '@plinth/attest/confidential';
import { exitCodes } from '@plinth/base';
import { ioError } from '@plinth/host';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts, table } from '../output/blocks.ts';

export interface VerifyGuestOptions {
  readonly measurement: string | undefined;
  readonly reportData: string | undefined;
  readonly chain: string | undefined;
}

/** verifyGuest judges a report in a file; exit code 3 unless it passes. @throws cli/usage, host/io */
export async function verifyGuest(path: string, options: VerifyGuestOptions): Promise<CommandResult> {
  const expected = {
    measurement: hexOption('--measurement', options.measurement, 48),
    reportData: hexOption('--report-data', options.reportData, 64),
  };
  const chain = options.chain === undefined ? undefined : await readBounded(options.chain);
  const verdict = judgeGuestReport({
    report: await readBounded(path),
    chainPem: Buffer.from(chain ?? []).toString('latin1'),
    ...{ expected, nowMs: Date.now() },
  });
  return {
    data: verdict,
    view: viewOf(verdict),
    exitCode: verdict.verdict === 'pass' ? exitCodes.ok : exitCodes.findings,
  };
}

function viewOf({ verdict, findings, facts: told, notChecked }: GuestVerdict) {
  const columns = [
    { header: 'REASON', value: ({ reason }: GuestVerdict['findings'][number]) => reason },
    { header: 'FINDING', value: ({ message }: GuestVerdict['findings'][number]) => message },
  ];
  return [
    ...(findings.length > 0 ? [table(columns, findings)] : []),
    facts([
      ...(told
        ? ([
            ['kind', told.kind],
            ['measurement', told.measurement],
            ['report data', told.reportData],
            ...told.more,
          ] as const)
        : []),
      ['not checked', notChecked.join('; ') || '<nothing was>'],
      ['verdict', verdict === 'unknown' ? 'unknown: genuine, and nothing to compare it with' : verdict],
    ]),
  ];
}

function hexOption(name: string, value: string | undefined, sizeBytes: number): string | undefined {
  if (value === undefined) return undefined;
  const digits = value.toLowerCase();
  if (/^[0-9a-f]*$/.test(digits) && digits.length === sizeBytes * 2) return digits;
  throw usageError(`value of ${name} is not hexadecimal of ${sizeBytes} bytes`);
}

/** At most one byte more than a report may have, which then is refused as too large. */
async function readBounded(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    const bytes = new Uint8Array(GUEST_REPORT_LIMIT_BYTES + 1);
    let filled = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled);
      filled += bytesRead;
      if (bytesRead === 0 || filled === bytes.length) return bytes.slice(0, filled);
    }
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  }
}
