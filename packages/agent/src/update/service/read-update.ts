import { type SlotDisk, type SlotView, viewSlots } from '@plinth/updates';
import { isUnderWay, type MachineAct } from '../../machine/machine-act.ts';
import type { ContractRecord } from '../health/contract-record.ts';
import { isOnTrial } from '../health/run-contract.ts';
import type { StageRecord, UpdateState } from '../types.ts';

export type Phase =
  | 'idle'
  | 'checking'
  | 'downloading'
  | 'verifying'
  | 'staged'
  | 'draining'
  | 'rebooting'
  | 'assessing'
  | 'committed'
  | 'rolled-back'
  | 'failed';

/** Everything about updates of this node, as the disk, the memory and the machine tell. */
export interface UpdateView {
  readonly view: SlotView;
  readonly state: UpdateState;
  readonly phase: Phase;
  /** The reboot into another version, while it is under way. */
  readonly act: MachineAct | undefined;
  /** That of this boot, or the last one. */
  readonly contract: ContractRecord | undefined;
}

/** viewUpdate puts together what is known; pure. @param bootId of this boot */
export function viewUpdate(
  disk: SlotDisk,
  state: UpdateState,
  act: MachineAct | undefined,
  bootId: string,
): UpdateView {
  const view = viewSlots(disk);
  const contract = contractOf(view, state.contract, bootId);
  const own = isUnderWay(act) && act.update && act.bootId === bootId ? act : undefined;
  return { view, state, contract, act: own, phase: phaseOf(view, state, own, contract) };
}

/** phaseOf says how far the last update is; what is under way before what has been. Pure. */
function phaseOf(
  view: SlotView,
  state: UpdateState,
  act: MachineAct | undefined,
  contract: ContractRecord | undefined,
): Phase {
  const { stage, activated, fallBack } = state;
  const { version } = view.booted;
  if (act) return act.state === 'draining' ? 'draining' : 'rebooting';
  if (stage?.state === 'running') return stagePhase(stage);
  // After a soft-reboot a version is healthy and keeps its counters, until the firmware has started it too.
  if (isOnTrial(view) && contract?.state !== 'held') return 'assessing';
  if (view.staged) return 'staged';
  // Staging clears its own record of before: a failed one is the last thing that happened, unless something was activated since.
  if (
    stage?.state === 'failed' &&
    stage.askedAtMs > (activated?.atMs ?? 0) &&
    stage.askedAtMs > (fallBack?.foundAtMs ?? 0)
  )
    return 'failed';
  if (activated?.version === version) return activated.how === 'activate' ? 'committed' : 'rolled-back';
  return fallBack?.to === version ? 'rolled-back' : 'idle';
}

/** stagePhase is the phase of a staging in the words of the API; pure. */
export function stagePhase({ state, progress }: Pick<StageRecord, 'state' | 'progress'>): Phase {
  if (state === 'staged') return 'staged';
  if (state !== 'running') return 'failed';
  if (progress.phase === 'metadata' || progress.phase === 'prepare') return 'checking';
  return progress.phase === 'compare' || progress.phase === 'write' ? 'downloading' : 'verifying';
}

/** A boot on trial whose first look is still to come has a contract all the same: the last one is of another boot. */
function contractOf(
  view: SlotView,
  stored: ContractRecord | undefined,
  bootId: string,
): ContractRecord | undefined {
  if (!isOnTrial(view) || stored?.bootId === bootId) return stored;
  return { version: view.booted.version, bootId, state: 'running', beganAtMs: 0, checks: [] };
}

/** slotNote says in words what is known of a slot's health; "" when nothing is. Pure. */
export function slotNote(view: SlotView, state: UpdateState, slot: string): string {
  const of = [view.booted, view.staged, view.rollback, view.retired].find((each) => each?.slot === slot);
  if (!of || of.version === '') return '';
  const failed = state.failed.find(({ version }) => version === of.version);
  if (of === view.booted && isOnTrial(view)) return 'on trial';
  if (failed) return failed.code === 'update/rolled-back' ? 'rolled back from' : 'failed here';
  if (of.state === 'proven') return 'proven';
  return of.state === 'failed' ? 'failed here' : '';
}
