import { Code, ConnectError } from '@connectrpc/connect';
import { CONFIG_LIMIT_BYTES } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { isReason, REASON_LIMIT } from '../reason.ts';

/** checkSize refuses a config that is too large before it is read. @throws config/too-large */
export function checkSize(config: Uint8Array): void {
  if (config.length > CONFIG_LIMIT_BYTES)
    throw new PlinthError(
      'config/too-large',
      `Cannot read the config: ${config.length} bytes, expected at most ${CONFIG_LIMIT_BYTES}`,
    );
}

/** checkReason refuses what cannot stand on a console or in a record. @throws ConnectError */
export function checkReason(reason: string): void {
  if (!isReason(reason))
    throw new ConnectError(
      `reason has ${reason.length} characters or a line break, expected one line of at most ${REASON_LIMIT}`,
      Code.InvalidArgument,
    );
}
