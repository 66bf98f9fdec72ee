import { messageOf } from '@plinth/base';
import { planActivate, planRollback, type SlotDisk, viewSlots } from '@plinth/updates';
import type { NodeConsole } from '../../console.ts';
import { blockVersion, unblockVersion } from '../blocked-versions.ts';
import type { FailedVersion, Stager, UpdateStore } from '../types.ts';
import type { ActivatedVersion, Baseline } from './activated.ts';
import { TRIES } from './judge-activate.ts';

/** What a reboot is for, beside itself. */
export interface RebootFor {
  readonly how: 'activate' | 'roll-back';
  /** The version that the next boot is of. */
  readonly version: string;
  /** Absent: the firmware starts it. */
  readonly way?: 'soft-reboot' | undefined;
}

export interface PrepareEndParts {
  readonly store: UpdateStore;
  readonly stager: Pick<Stager, 'readSlotDisk' | 'changeEntries'>;
  readonly bootId: string;
  readonly nowMs: () => number;
  /** What the node is like now. */
  baseline(): Promise<Baseline>;
  /** Lays the root of the version in the other slot out for a soft-reboot. @throws update/soft-reboot-failed */
  layOutNextRoot?(disk: SlotDisk, version: string): Promise<void>;
  readonly console?: NodeConsole;
}

/**
 * prepareEnd changes what the next boot is of; it is the last thing before the system ends, after the pods are away, so that an act
 * that is given up leaves nothing behind. Again from the start after a kill: what is done is done. Before a soft-reboot too the boot loader
 * is told to try the version: a crash on the way ends in its counted boots, and so does a root that cannot be laid out.
 * @returns how the system ends
 * @throws what planActivate and planRollback throw, update/disk-failed
 */
export async function prepareEnd(
  parts: PrepareEndParts,
  { how, version, way }: RebootFor,
  asked: { readonly askedBy: string; readonly reason: string },
): Promise<'reboot' | 'soft-reboot'> {
  const { store, stager, bootId, nowMs, baseline } = parts;
  const from = viewSlots(await stager.readSlotDisk()).booted.version;
  const activated: ActivatedVersion = {
    ...{ version, from, how, by: asked.askedBy, reason: asked.reason, atMs: nowMs(), bootId },
    ...(how === 'activate' && { baseline: await baseline() }),
  };
  // Stored first: the boot that follows has to know what it is.
  await store.change((state) => ({
    ...state,
    activated,
    failed:
      how === 'activate'
        ? unblockVersion(state.failed, version)
        : blockVersion(state.failed, leftVersion(activated)),
  }));
  if (how === 'activate') {
    await stager.changeEntries((disk) => planActivate(disk, version, TRIES));
    return way === 'soft-reboot' ? nextRoot(parts, version) : 'reboot';
  }
  // Called again after a kill the entry is gone, and with it what planRollback looks for in vain.
  await stager.changeEntries((disk) => planRollback(disk));
  return 'reboot';
}

async function nextRoot(
  { layOutNextRoot, stager, console }: PrepareEndParts,
  version: string,
): Promise<'reboot' | 'soft-reboot'> {
  if (!layOutNextRoot) return 'reboot';
  try {
    await layOutNextRoot(await stager.readSlotDisk(), version);
    return 'soft-reboot';
  } catch (reason) {
    console?.say(`update: ${messageOf(reason)}; the firmware starts it [update/soft-reboot-failed]`);
    return 'reboot';
  }
}

function leftVersion({ from, version, by, reason, atMs }: ActivatedVersion): FailedVersion {
  const words = reason === '' ? '' : `: ${reason}`;
  return {
    ...{ version: from, atMs, code: 'update/rolled-back', by },
    reason: `${by} went back to ${version}${words}`,
  };
}
