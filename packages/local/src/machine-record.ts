import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno, type ProcessIdentity, writeFileAtomic } from '@plinth/host';
import { machineFiles } from './machine-files.ts';
import type { Firmware } from './machine-spec.ts';

/** The image a machine was made from, so that a changed one is noticed before it mixes with old differences. */
export interface BaseIdentity {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** What is kept about a machine in its machine.json. */
export interface MachineRecord {
  readonly format: 1;
  readonly name: string;
  /** SMBIOS system UUID; stays when the machine is started again. */
  readonly uuid: string;
  readonly base: BaseIdentity;
  readonly firmware: Firmware;
  readonly accelerator: 'kvm' | 'tcg';
  readonly apiPort: number;
  /** Port on the loopback address that leads to the API server of Kubernetes; absent: none. */
  readonly kubernetesPort?: number;
  /** It ends when its system restarts itself; absent: it restarts. */
  readonly onReboot?: 'end';
  readonly startedAt: string;
  /** Set when Plinth stopped the machine. */
  readonly stoppedAt?: string;
  readonly qemu: ProcessIdentity;
  readonly tpm?: ProcessIdentity;
}

/** writeMachineRecord replaces machine.json whole. @throws host/io, host/disk-full */
export async function writeMachineRecord(folder: string, record: MachineRecord): Promise<void> {
  await writeFileAtomic(join(folder, machineFiles.record), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

/** readMachineRecord reads machine.json; undefined when there is none. @throws vm/bad-record, host/io */
export async function readMachineRecord(folder: string): Promise<MachineRecord | undefined> {
  const path = join(folder, machineFiles.record);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read ${path}`);
  }
  return parseMachineRecord(text, path);
}

/** parseMachineRecord checks the text of a machine.json. @throws vm/bad-record */
export function parseMachineRecord(text: string, path: string): MachineRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (reason) {
    throw new PlinthError('vm/bad-record', `Cannot read ${path}: not JSON, expected a machine record`, {
      cause: reason,
    });
  }
  if (isRecord(value)) return value;
  throw new PlinthError('vm/bad-record', `Cannot read ${path}: fields missing or wrong, expected format 1`);
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is MachineRecord {
  if (!isObject(value)) return false;
  const { base, qemu, tpm, stoppedAt, kubernetesPort, onReboot } = value;
  return (
    value['format'] === 1 &&
    isText(value['name']) &&
    isText(value['uuid']) &&
    isObject(base) &&
    isText(base['path']) &&
    isNumber(base['sizeBytes']) &&
    isNumber(base['modifiedMs']) &&
    ['secure-boot', 'uefi', 'bios'].includes(String(value['firmware'])) &&
    ['kvm', 'tcg'].includes(String(value['accelerator'])) &&
    isNumber(value['apiPort']) &&
    (kubernetesPort === undefined || isNumber(kubernetesPort)) &&
    (onReboot === undefined || onReboot === 'end') &&
    isText(value['startedAt']) &&
    (stoppedAt === undefined || isText(stoppedAt)) &&
    isProcess(qemu) &&
    (tpm === undefined || isProcess(tpm))
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/** A wrong process number here would make us signal a stranger: only plain positive ones pass. */
function isProcess(value: unknown): value is ProcessIdentity {
  if (!isObject(value) || !isText(value['startTicks'])) return false;
  return Number.isSafeInteger(value['pid']) && Number(value['pid']) > 1;
}
