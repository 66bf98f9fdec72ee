import { concatBytes, encodeText, extendPcr, hex, PCR_RESET, sha256 } from '@plinth/formats';
import type { EvidenceParts, Reason } from '../judge/judgement.ts';
import type { Registers } from '../log/replay.ts';
import { type RecordedBoot, recordedBoot, registersOf } from './recorded-boot.ts';

/** What a machine has and tells of its boot. */
export type BootParts = Pick<EvidenceParts, 'firmwareLog' | 'systemLog'> & { readonly registers: Registers };

/** A boot that must not pass, with the first reason. */
export interface CrookedBoot {
  readonly what: string;
  readonly reason: Reason;
  readonly parts: BootParts;
}

const OTHER = sha256(encodeText('something else'));

/** crookedBoots are changes of the recorded boot, each of which has to be refused for its own reason. */
export function crookedBoots(boot: RecordedBoot = recordedBoot()): readonly CrookedBoot[] {
  const { firmwareLog, systemLog, registers } = boot;
  const uki = digestOf(boot, 4, 'UKI');
  const otherUki = replaced(firmwareLog, uki, hex(OTHER));
  const measured = (firmware: Uint8Array, system = systemLog): BootParts => ({
    ...{ firmwareLog: firmware, systemLog: system, registers: registersOf(firmware, system) },
  });
  const record = {
    ...{ pcr: 13, digests: [{ hashAlg: 'sha256', digest: hex(sha256(encodeText('foreign'))) }] },
    content: { string: 'foreign', eventType: 'test' },
  };
  const foreign = concatBytes([systemLog, encodeText(`\u001e${JSON.stringify(record)}\n`)]);
  const hidden = new Map(registers).set(13, hex(extendPcr(PCR_RESET, OTHER)));
  return [
    { what: 'another UKI', reason: 'missing-event', parts: measured(otherUki) },
    {
      what: 'an extension that no release has',
      reason: 'unknown-event',
      parts: measured(firmwareLog, foreign),
    },
    {
      what: 'a log that was edited back to the release',
      reason: 'log-edited',
      parts: { firmwareLog, systemLog, registers: registersOf(otherUki, systemLog) },
    },
    {
      what: 'a measurement that the logs hide',
      reason: 'log-edited',
      parts: { firmwareLog, systemLog, registers: hidden },
    },
    { what: 'Secure Boot off', reason: 'secure-boot-off', parts: measured(secureBootOff(boot)) },
  ];
}

/** The firmware measures the same variable with another content. */
function secureBootOff(boot: RecordedBoot): Uint8Array {
  const at = Buffer.from(boot.firmwareLog).indexOf(Buffer.from('SecureBoot', 'utf16le')) + 20;
  const off = boot.firmwareLog.slice();
  if (off[at] !== 1) throw new Error('the recorded boot does not have SecureBoot where it is looked for');
  off[at] = 0;
  return replaced(off, digestOf(boot, 7, 'variable SecureBoot'), hex(sha256(off.slice(at - 52, at + 1))));
}

function digestOf({ reference }: RecordedBoot, pcr: number, what: string): string {
  const register = reference.registers.find((each) => each.pcr === pcr);
  const event = register?.events.find((each) => each.what === what);
  if (!event || !('sha256' in event)) throw new Error(`the reference has no digest of ${what}`);
  return event.sha256;
}

/** Exchanges a digest in a log; the same length, so all else stays. */
function replaced(log: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(log).toString('hex');
  if (text.split(from).length !== 2) throw new Error('the digest is not in the log once');
  return new Uint8Array(Buffer.from(text.replace(from, to), 'hex'));
}
