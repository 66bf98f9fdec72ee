import { parseCommandLine } from '../kernel/command-line.ts';
import { mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import { readText, type Sys } from '../sys/sys.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const MOUNTS = '/proc/1/mountinfo';
/** Name of the device that plinth-nextroot.service opens; the initrd calls its own "root". */
export const NEXT_ROOT_DEVICE = 'nextroot';

/** Which start of the system runs. */
export interface SystemStart {
  /** Of the kernel: one soft-reboot is within it. "" where it cannot be read. */
  readonly bootId: string;
  /** Another one after each start of user space; that of the kernel after a start by the firmware. */
  readonly startId: string;
  /** Whether the root was gone to by a soft-reboot: the kernel was started for another one. */
  readonly soft: boolean;
}

/** readSystemStart asks the kernel what is mounted at "/". Nothing that is remembered has a say. Never throws. */
export async function readSystemStart(sys: Pick<Sys, 'readFile'>): Promise<SystemStart> {
  return (await observe(sys)).start;
}

/**
 * keptSystemStart is readSystemStart for what is asked often: once everything could be read, that answer holds for as long as
 * plinthd runs, for each start of user space starts it anew.
 */
export function keptSystemStart(sys: Pick<Sys, 'readFile'>): () => Promise<SystemStart> {
  let kept: SystemStart | undefined;
  return async () => {
    if (kept) return kept;
    const { start, whole } = await observe(sys);
    if (whole) kept = start;
    return start;
  };
}

async function observe(sys: Pick<Sys, 'readFile'>): Promise<{ start: SystemStart; whole: boolean }> {
  const bootId = (await readText(sys, BOOT_ID).catch(() => undefined)) ?? '';
  const seen = await isSoftStart(sys).catch(() => undefined);
  const soft = seen ?? false;
  // There is one soft-reboot at most in the life of a kernel: what it leads to stays on trial until the firmware has started it.
  const start = { bootId, startId: soft ? `${bootId}+1` : bootId, soft };
  return { start, whole: bootId !== '' && seen !== undefined };
}

/** firmwareRootHash is the root hash that the firmware started and measured, by the kernel's own command line; "" when it names none. */
export async function firmwareRootHash(sys: Pick<Sys, 'readFile'>): Promise<string> {
  const text = (await readText(sys, '/proc/cmdline').catch(() => undefined)) ?? '';
  return parseCommandLine(text).get('roothash')?.toLowerCase() ?? '';
}

async function isSoftStart(sys: Pick<Sys, 'readFile'>): Promise<boolean> {
  const root = mountHolding(parseMountInfo((await sys.readFile(MOUNTS)).toString('utf8')), '/');
  if (!root) return false;
  return (await readText(sys, `/sys/dev/block/${root.device}/dm/name`)) === NEXT_ROOT_DEVICE;
}
