import type { UpdatePolicy } from '@plinth/config';
import { viewSlots } from '@plinth/updates';
import { isOnTrial } from '../health/run-contract.ts';
import type { Stager } from '../types.ts';
import { choiceMessage } from './messages.ts';
import { slotNote } from './read-update.ts';

/** What updates know of one slot. */
export interface SlotNote {
  readonly rootHash: string;
  /** "booted", "staged", "rollback", or "". */
  readonly role: string;
  readonly writeProtected: boolean;
  /** "proven", "on trial", "failed here", "rolled back from", or "". */
  readonly health: string;
  readonly state: 'good' | 'trial' | 'bad' | undefined;
  readonly triesLeft: number;
  readonly triesDone: number;
}

export interface SlotsNote {
  /** By the name of the slot. */
  readonly slots: ReadonlyMap<string, SlotNote>;
  /** A sentence each. */
  readonly whyNoUpdate: readonly string[];
}

const states = { proven: 'good', trial: 'trial', failed: 'bad', none: undefined } as const;

/** describeSlots says of each slot what updates know of it. Never rejects: a disk that cannot be read gives nothing. */
export async function describeSlots(parts: {
  readonly stager: Pick<Stager, 'readSlotDisk' | 'readUpdateState'>;
  readonly policy: () => UpdatePolicy | undefined;
}): Promise<SlotsNote> {
  try {
    const [disk, state] = await Promise.all([parts.stager.readSlotDisk(), parts.stager.readUpdateState()]);
    const view = viewSlots(disk);
    const found = [
      { role: 'booted', of: view.booted },
      { role: 'staged', of: view.staged },
      { role: 'rollback', of: view.rollback },
      { role: '', of: view.retired },
    ];
    const notes = disk.slots.map(({ name, rootHash }): [string, SlotNote] => {
      const own = found.find(({ of }) => of?.slot === name);
      const trial = own?.of === view.booted && isOnTrial(view);
      return [
        name,
        {
          ...{ rootHash, role: own?.role ?? '', health: slotNote(view, state, name) },
          writeProtected: view.writeProtected.includes(name),
          state: trial ? 'trial' : states[own?.of?.state ?? 'none'],
          ...{ triesLeft: own?.of?.triesLeft ?? 0, triesDone: own?.of?.triesDone ?? 0 },
        },
      ];
    });
    const { version, reasons = [] } = choiceMessage(state.lastCheck, parts.policy(), view.booted.version);
    return {
      slots: new Map(notes),
      whyNoUpdate: version ? [] : reasons.map(({ message = '' }) => message),
    };
  } catch {
    return { slots: new Map(), whyNoUpdate: [] };
  }
}
