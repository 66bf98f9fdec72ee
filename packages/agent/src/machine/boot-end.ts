import { z } from 'zod';
import { JOURNALCTL } from '../kubernetes/units/run-unit.ts';
import { CRASH_FOLDERS } from '../reports/boot-report.ts';
import type { StateStore } from '../sys/state-store.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import {
  type Ask,
  askSchema,
  type BootEnd,
  judgeBootEnd,
  parseVarCheck,
  parseWatchdog,
} from './judge-boot-end.ts';

const NAME = 'machine/boot.json';
const VAR_CHECK_UNIT = 'plinth-var-check.service';
const WATCHDOG = '/sys/class/watchdog/watchdog0/bootstatus';
/** logind's word when the system is about to end (systemd, SD_MESSAGE_SHUTDOWN). */
const SHUTDOWN_MESSAGE = '98268866d1d54a499c4e98921d93bc40';
/** systemd-pstore has moved the records of this boot by then. */
const LOOK_AGAIN_MS = 60_000;

/** What is remembered from boot to boot. */
const schema = z.object({
  bootId: z.string(),
  hadBootBefore: z.boolean(),
  /** Crash records that are of earlier ends than the last one. */
  oldCrashRecords: z.array(z.string()),
  seenCrashRecords: z.array(z.string()),
  ask: askSchema.optional(),
});
type BootMemory = z.infer<typeof schema>;

export interface BootEndParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly bootId: string;
  /** What was to end the boot of that id; undefined when nothing was. */
  askOf(bootId: string): Ask | undefined;
  /** Whether this start is of a soft-reboot: the kernel has not ended. */
  readonly soft?: boolean;
  readonly signal: AbortSignal;
}

/**
 * openBootEnd remembers this boot and gives how the one before ended. The answer stays the same for a whole boot,
 * however often plinthd restarts. A memory that cannot be read or kept costs the answer its certainty, nothing else.
 */
export async function openBootEnd(parts: BootEndParts): Promise<() => Promise<BootEnd>> {
  const { sys, store, bootId, askOf, signal } = parts;
  const stored = await readMemory(store);
  let memory: BootMemory;
  if (stored?.bootId === bootId) memory = stored;
  else {
    const ask = stored && askOf(stored.bootId);
    memory = {
      bootId,
      hadBootBefore: stored !== undefined,
      oldCrashRecords: stored?.seenCrashRecords ?? [],
      seenCrashRecords: stored?.seenCrashRecords ?? [],
      ...(ask && { ask }),
    };
    await keep();
  }

  async function keep(): Promise<void> {
    await store.write(NAME, Buffer.from(`${JSON.stringify(memory)}\n`)).catch(() => {});
  }

  async function look(): Promise<BootEnd> {
    const [records, watchdog, varCheck, lastWords, journalBefore] = await Promise.all([
      crashRecords(sys),
      readText(sys, WATCHDOG).catch(() => undefined),
      journal(sys, ['--boot', `--unit=${VAR_CHECK_UNIT}`, '--lines=20']),
      journal(sys, ['--boot=-1', '--lines=1', `MESSAGE_ID=${SHUTDOWN_MESSAGE}`]),
      journal(sys, ['--boot=-1', '--lines=1']),
    ]);
    if (records?.some((name) => !memory.seenCrashRecords.includes(name))) {
      memory = { ...memory, seenCrashRecords: [...new Set([...memory.seenCrashRecords, ...records])] };
      await keep();
    }
    return judgeBootEnd({
      soft: parts.soft ?? false,
      hadBootBefore: memory.hadBootBefore || (journalBefore === undefined ? undefined : journalBefore !== ''),
      ask: memory.ask,
      crashRecords: records?.filter((name) => !memory.oldCrashRecords.includes(name)),
      watchdog: watchdog === undefined ? undefined : parseWatchdog(watchdog),
      varWasClean: varCheck === undefined ? undefined : parseVarCheck(varCheck),
      lastWords: lastWords ?? '',
    });
  }

  const again = setTimeout(() => void look().catch(() => {}), LOOK_AGAIN_MS).unref();
  signal.addEventListener('abort', () => clearTimeout(again), { once: true });
  return look;
}

/** A memory that cannot be read is as good as none. */
async function readMemory(store: StateStore): Promise<BootMemory | undefined> {
  const bytes = await store.read(NAME).catch(() => undefined);
  if (!bytes) return undefined;
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    await store.setAside(NAME).catch(() => {});
    return undefined;
  }
}

async function crashRecords(sys: Sys): Promise<readonly string[] | undefined> {
  try {
    return (await Promise.all(CRASH_FOLDERS.map((folder) => listDir(sys, folder)))).flat();
  } catch {
    return undefined;
  }
}

/** The messages alone; "" when there are none, undefined when the journal did not answer. */
async function journal(sys: Sys, args: readonly string[]): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await sys.run(JOURNALCTL, [
      '--no-pager',
      '--quiet',
      '--output=cat',
      ...args,
    ]);
    // It ends with 1 when there is no such boot.
    return exitCode === 0 || exitCode === 1 ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}
