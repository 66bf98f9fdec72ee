import { planActivate, planRollback, viewSlots } from '@plinth/updates';
import { blockVersion, unblockVersion } from '../blocked-versions.ts';
import type { FailedVersion, Stager, UpdateStore } from '../types.ts';
import type { ActivatedVersion, Baseline } from './activated.ts';
import { TRIES } from './judge-activate.ts';

/** What a reboot is for, beside itself. */
export interface RebootFor {
  readonly how: 'activate' | 'roll-back';
  /** The version that the next boot is of. */
  readonly version: string;
}

export interface PrepareEndParts {
  readonly store: UpdateStore;
  readonly stager: Pick<Stager, 'readSlotDisk' | 'changeEntries'>;
  readonly bootId: string;
  readonly nowMs: () => number;
  /** What the node is like now. */
  baseline(): Promise<Baseline>;
}

/**
 * prepareEnd changes what the next boot is of; it is the last thing before the system ends, after the pods are away, so that an act
 * that is given up leaves nothing behind. Again from the start after a kill: what is done is done.
 * @throws what planActivate and planRollback throw, update/disk-failed
 */
export async function prepareEnd(
  { store, stager, bootId, nowMs, baseline }: PrepareEndParts,
  { how, version }: RebootFor,
  asked: { readonly askedBy: string; readonly reason: string },
): Promise<void> {
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
  if (how === 'activate') return stager.changeEntries((disk) => planActivate(disk, version, TRIES));
  // Called again after a kill the entry is gone, and with it what planRollback looks for in vain.
  await stager.changeEntries((disk) => planRollback(disk));
}

function leftVersion({ from, version, by, reason, atMs }: ActivatedVersion): FailedVersion {
  const words = reason === '' ? '' : `: ${reason}`;
  return {
    ...{ version: from, atMs, code: 'update/rolled-back', by },
    reason: `${by} went back to ${version}${words}`,
  };
}
