import { extendPcr, fromHex, hex, PCR_RESET } from '@plinth/formats';
import { type MeasuredEvent, PCR_COUNT } from './measured-event.ts';

/** Values of registers of the SHA-256 bank, hex, by number. */
export type Registers = ReadonlyMap<number, string>;

/**
 * replayLogs gives the value that each register has after the events, first to last; one without an event is as after a
 * reset of the machine.
 * @param startupLocality where PCR 0 begins, see FirmwareLog
 */
export function replayLogs(events: readonly MeasuredEvent[], startupLocality = 0): Registers {
  const values = Array.from({ length: PCR_COUNT }, (_, pcr) =>
    pcr === 0 ? PCR_RESET.with(31, startupLocality) : PCR_RESET,
  );
  for (const { pcr, sha256 } of events) {
    const digest = fromHex(sha256);
    const value = values[pcr];
    if (digest && value) values[pcr] = extendPcr(value, digest);
  }
  return new Map(values.map((value, pcr) => [pcr, hex(value)]));
}
