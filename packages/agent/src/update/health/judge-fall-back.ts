import { compareUapiVersions } from '@plinth/base';
import type { SlotView, VersionInSlot } from '@plinth/updates';
import type { UpdateState } from '../types.ts';
import { type ContractRecord, contractLimitMs } from './contract-record.ts';
import type { FallBackRecord } from './fall-back-record.ts';

/** What a boot has to know to tell whether it is there because another version failed. */
export interface FallBackFacts {
  readonly view: SlotView;
  readonly state: Pick<UpdateState, 'activated' | 'contract' | 'failed'>;
  /** Of this boot. */
  readonly bootId: string;
}

/** A version that failed, and why as far as the disk and the node's memory tell. */
export type FoundFallBack = Pick<FallBackRecord, 'from' | 'to' | 'tries' | 'code' | 'reason' | 'checks'> & {
  /** The boot after which it was tried; undefined when nobody remembers. */
  readonly afterBoot: string | undefined;
};

/**
 * judgeFallBack tells whether a version did not prove itself and this boot is of another one; pure. The disk alone is enough:
 * an entry whose tries ran out was tried and never blessed. The memory adds why, and tells of an older version that was tried
 * for one boot. Undefined for a version that is known to have failed: once is enough.
 */
export function judgeFallBack({ view, state, bootId }: FallBackFacts): FoundFallBack | undefined {
  const { activated } = state;
  const asked = activated?.how === 'activate' && activated.bootId !== bootId ? activated : undefined;
  const to = view.booted.version;
  if (asked && asked.version !== to) {
    const other = [view.staged, view.rollback, view.retired].find((each) => each?.version === asked.version);
    if (wasTried(other, to)) return found(asked.version, other?.triesDone ?? 0, asked.bootId);
  }
  const { retired } = view;
  if (retired?.state !== 'failed' || retired.triesDone === 0) return undefined;
  if (state.failed.some(({ version }) => version === retired.version)) return undefined;
  return found(retired.version, retired.triesDone, undefined);

  function found(from: string, tries: number, afterBoot: string | undefined): FoundFallBack {
    return { from, to, tries, afterBoot, ...why(from, tries, state.contract, bootId) };
  }
}

/** Whether the boot loader has tried a version that was activated and does not run. */
function wasTried(other: VersionInSlot | undefined, booted: string): boolean {
  // Without an entry it was taken back, never activated to the end, or left; proven, and somebody chose another entry.
  if (!other || other.triesDone === 0) return false;
  if (other.state === 'failed') return true;
  // An older version gets one boot at a time; a newer one is tried again at the next boot.
  return other.state === 'trial' && compareUapiVersions(other.version, booted) < 0;
}

/** brokenBecause says in words why a contract broke; pure. */
export function brokenBecause(record: ContractRecord): string {
  const open = record.checks.filter(({ verdict }) => verdict !== 'pass').map(({ id }) => id);
  const minutes = Math.round((contractLimitMs(record) ?? 0) / 60_000);
  const way = record.beganUpMs === undefined ? '' : ' after a soft-reboot';
  return `its health contract did not hold within ${minutes} min${way}: ${open.join(', ') || 'nothing was seen'}`;
}

function why(
  version: string,
  tries: number,
  contract: UpdateState['contract'],
  bootId: string,
): Pick<FoundFallBack, 'code' | 'reason' | 'checks'> {
  const own = contract?.version === version && contract.bootId !== bootId ? contract : undefined;
  const open = own?.checks.filter(({ verdict }) => verdict !== 'pass') ?? [];
  const names = open.map(({ id }) => id).join(', ');
  if (own?.state === 'broken') {
    return { code: 'update/contract-broken', reason: brokenBecause(own), checks: open };
  }
  if (own?.state === 'running') {
    const state = names === '' ? '' : `, while these did not pass: ${names}`;
    return {
      code: 'update/boot-died',
      reason: `its last boot ended before it was proven${state}`,
      checks: open,
    };
  }
  return {
    code: 'update/boot-died',
    reason: `none of its ${tries} boots came as far as a look at its health`,
    checks: [],
  };
}
