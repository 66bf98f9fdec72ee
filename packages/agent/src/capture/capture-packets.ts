import type { CapturePacketsRequest } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { ProgramFailure, type Sys } from '../sys/sys.ts';
import { SYSTEMD_RUN } from '../sys/transient-unit.ts';
import { captureArguments, captureBounds } from './capture-arguments.ts';

/** Exit codes of plinth-capture, which systemd-run passes on. */
const USAGE = 2;
const NO_INTERFACE = 3;
/** An answer has a bound, whatever a pipe gives at once. */
const PIECE_BYTES = 64 * 1024;

/**
 * capturePackets gives one section of pcapng as the unit writes it, never faster than it is read: the unit leaves out
 * what does not fit and counts it. It ends with `signal` and when its reader stops: then the unit's pipe is closed.
 * @throws capture/request-invalid, capture/interface-missing, capture/busy, capture/failed
 */
export async function* capturePackets(
  sys: Pick<Sys, 'stream'>,
  request: CapturePacketsRequest,
  apiPort: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const args = captureArguments(request, apiPort);
  let sentBytes = 0;
  try {
    for await (const piece of sys.stream(SYSTEMD_RUN, args, signal)) {
      sentBytes += piece.length;
      if (sentBytes > captureBounds.maxSizeBytes.max) throw failed('it sends more than was asked for');
      for (let at = 0; at < piece.length; at += PIECE_BYTES) yield piece.subarray(at, at + PIECE_BYTES);
    }
  } catch (reason) {
    throw reason instanceof ProgramFailure ? failureOf(reason, request) : reason;
  }
}

function failureOf({ exitCode, stderr }: ProgramFailure, request: CapturePacketsRequest): PlinthError {
  const lines = stderr.trim().split('\n');
  const own = lines.find((line) => line.startsWith('plinth-capture: '))?.slice('plinth-capture: '.length);
  if (own !== undefined && exitCode === USAGE)
    return new PlinthError('capture/request-invalid', `Cannot capture packets: ${own}`);
  if (own !== undefined && exitCode === NO_INTERFACE)
    return new PlinthError(
      'capture/interface-missing',
      `Cannot capture packets: the node has no interface ${request.interface}, expected one it has`,
    );
  const said = own ?? lines.at(-1) ?? '';
  if (own === undefined && /already (?:exists|loaded)|has a fragment file/i.test(said)) return busy();
  return failed(`its unit ended with ${exitCode}${said === '' ? '' : `: ${said}`}`);
}

/** Another capture is at work. */
export function busy(): PlinthError {
  return new PlinthError(
    'capture/busy',
    'Cannot capture packets: the node captures already, expected one capture at a time',
    { retryable: true },
  );
}

function failed(state: string): PlinthError {
  return new PlinthError('capture/failed', `Cannot capture packets: ${state}, expected it to end well`);
}
