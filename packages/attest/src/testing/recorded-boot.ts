import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvidenceParts } from '../judge/judgement.ts';
import { readFirmwareLog } from '../log/read-firmware-log.ts';
import { readSystemLog } from '../log/read-system-log.ts';
import { type Registers, replayLogs } from '../log/replay.ts';
import { parseReference, type Reference } from '../reference/reference.ts';

const FOLDER = join(import.meta.dirname, '../__fixtures__');

/** What a machine in QEMU measured and told when it booted a release under Secure Boot, and that release's reference values. */
export interface RecordedBoot extends Pick<EvidenceParts, 'firmwareLog' | 'systemLog' | 'facts'> {
  readonly reference: Reference;
  /** What its logs lead to; the machine's TPM had the same. */
  readonly registers: Registers;
  readonly nodeId: string;
}

/** recordedBoot reads the record in `__fixtures__`. */
export function recordedBoot(): RecordedBoot {
  const read = (name: string) => new Uint8Array(readFileSync(join(FOLDER, name)));
  const text = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
  const [firmwareLog, systemLog] = [read('firmware.log.bin'), read('system.log.jsonseq')];
  return {
    ...{ firmwareLog, systemLog, facts: read('facts.json') },
    reference: parseReference(text('reference.json'), 'reference.json'),
    registers: registersOf(firmwareLog, systemLog),
    nodeId: JSON.parse(text('facts.json')).nodeId,
  };
}

/** registersOf is what a TPM holds after the measurements of these logs. */
export function registersOf(firmwareLog: Uint8Array, systemLog: Uint8Array): Registers {
  const { events, startupLocality } = readFirmwareLog(firmwareLog);
  return replayLogs([...events, ...readSystemLog(systemLog)], startupLocality);
}
