import { messageOf, PlinthError } from '@plinth/base';
import { planBless, type SlotView, viewSlots } from '@plinth/updates';
import type { CheckResult } from '../../checks/check.ts';
import type { NodeConsole } from '../../console.ts';
import { pause, type Sleep } from '../../repeat.ts';
import type { Baseline } from '../activate/activated.ts';
import type { Stager, UpdateStore } from '../types.ts';
import { type ContractRecord, contractLimitMs } from './contract-record.ts';
import { judgeLook } from './judge-contract.ts';
import type { TrialDeadline } from './trial-deadline.ts';

export interface ContractParts {
  readonly store: UpdateStore;
  readonly stager: Pick<Stager, 'readSlotDisk' | 'changeEntries'>;
  readonly deadline: TrialDeadline;
  readonly console: NodeConsole;
  readonly bootId: string;
  readonly nowMs: () => number;
  readonly upMs: () => Promise<number>;
  /** How long after its start a version may take, by the machine config. */
  readonly deadlineMs: () => number;
  /** Looks at what the version has to show. @param first there is no version to go back to */
  look(baseline: Baseline | undefined, first: boolean): Promise<readonly CheckResult[]>;
  /** Ends the system. @throws what the service manager says */
  reboot(): Promise<void>;
  /** Where the version was gone to by a soft-reboot; absent when the firmware started it. */
  readonly soft?: SoftTrial;
  readonly signal: AbortSignal;
  readonly sleep?: Sleep;
}

/** The trial of a version that the kernel of another one runs. */
export interface SoftTrial {
  /** How long the kernel had run when user space started. */
  beganUpMs(): Promise<number>;
  /** Blocks the version and takes its boot entry away, so that the reboot is into the version before. */
  leave(record: ContractRecord): Promise<void>;
}

/** Between two looks at first, and later; each costs as much as a look at the node's health. */
const LOOK_MS = 5_000;
const LATER_MS = 15_000;
const AT_FIRST_MS = 2 * 60_000;
/** The system is on its way down. */
const END_MS = 10 * 60_000;

/**
 * runContract proves the running version if it is on trial: looks until its contract holds, and then keeps it; or until the time is
 * over, and then reboots. A version that is proven is not looked at: however sick it is later, a reboot is nobody's plan. Where there is
 * no proven version to go back to nothing reboots. After a soft-reboot the same holds, but for the end: a version that is healthy keeps its
 * counters, for no firmware has started it yet; one that is not is left at once. Ends when it is decided, or with the signal.
 */
export async function runContract(parts: ContractParts): Promise<void> {
  const { deadline, console, signal, sleep = pause } = parts;
  const view = await readView(parts);
  if (!view) return;
  if (!isOnTrial(view)) return deadline.disarm();
  const first = view.rollback === undefined;
  if (first) await deadline.disarm();
  let record = await begin(parts, view.booted.version, first);
  // Decided and not carried out: plinthd was ended in between.
  while (!signal.aborted) {
    if (record.state === 'running') record = await lookOnce(parts, record, first);
    if (record.state === 'held' && parts.soft) return stay(parts, record);
    if (record.state === 'held' && (await keep(parts, record))) return;
    if (record.state === 'broken') return giveUp(parts, record);
    const upMs = await parts.upMs();
    await sleep(upMs < AT_FIRST_MS ? LOOK_MS : LATER_MS, signal);
  }
  console.say('update: the health contract is looked at again when plinthd is back');
}

/** isOnTrial: its entry still counts; with the last try the boot loader has counted it down to none. */
export function isOnTrial({ booted }: Pick<SlotView, 'booted'>): boolean {
  return booted.state === 'trial' || booted.state === 'failed';
}

/** The disk may be slow to appear; a boot on trial that cannot read it ends by its deadline. */
async function readView(parts: ContractParts): Promise<SlotView | undefined> {
  const { stager, console, signal, sleep = pause } = parts;
  let said = '';
  while (!signal.aborted) {
    try {
      return viewSlots(await stager.readSlotDisk());
    } catch (reason) {
      const { code, message } = PlinthError.from(
        reason,
        'update/disk-unreadable',
        'Cannot tell whether this boot is on trial',
      );
      if (message !== said) console.say(`update: ${message} [${code}]`);
      said = message;
    }
    await sleep(LOOK_MS, signal);
  }
  return undefined;
}

/** Goes on with the contract of this boot, or begins it; the deadline is set before the first look. */
async function begin(parts: ContractParts, version: string, first: boolean): Promise<ContractRecord> {
  const { store, bootId, deadline, console, nowMs } = parts;
  const { contract } = await store.read();
  if (contract?.bootId === bootId && contract.version === version) {
    if (contract.deadlineMs !== undefined) await arm(parts, contract.deadlineMs);
    return contract;
  }
  const beganUpMs = await parts.soft?.beganUpMs();
  const deadlineMs = first ? undefined : parts.deadlineMs() + (beganUpMs ?? 0);
  const record: ContractRecord = {
    ...{ version, bootId, state: 'running', beganAtMs: nowMs(), checks: [] },
    ...(beganUpMs !== undefined && { beganUpMs }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  };
  if (deadlineMs === undefined) await deadline.disarm();
  else await arm(parts, deadlineMs);
  const limitMs = contractLimitMs(record);
  const minutes = limitMs === undefined ? '' : `, within ${Math.round(limitMs / 60_000)} min`;
  console.say(`update: version ${version} is on trial${parts.soft ? ' after a soft-reboot' : ''}${minutes}`);
  return save(parts, record);
}

/** Without it the deadline of the image stays, and plinthd's own. */
async function arm({ deadline, console }: ContractParts, deadlineMs: number): Promise<void> {
  await deadline.arm(deadlineMs).catch((reason: unknown) => console.say(`update: ${reason}`));
}

async function lookOnce(
  parts: ContractParts,
  record: ContractRecord,
  first: boolean,
): Promise<ContractRecord> {
  const { activated } = await parts.store.read();
  const baseline = activated?.version === record.version ? activated.baseline : undefined;
  const checks = await parts.look(baseline, first);
  const next = judgeLook(record, { checks, upMs: await parts.upMs(), nowMs: parts.nowMs() });
  const changed =
    next.state !== record.state ||
    JSON.stringify(next.checks.map(({ id, verdict }) => [id, verdict])) !==
      JSON.stringify(record.checks.map(({ id, verdict }) => [id, verdict]));
  // A full /var must not keep a version from being proven or given up: what is stored is for people.
  return changed ? save(parts, next) : next;
}

async function save({ store, console }: ContractParts, record: ContractRecord): Promise<ContractRecord> {
  await store
    .change((state) => ({ ...state, contract: record }))
    .catch((reason: unknown) => console.say(`update: the health contract cannot be stored: ${reason}`));
  return record;
}

/** Takes the counters from the entry's name; false when it has to be tried again. */
async function keep(parts: ContractParts, { version }: ContractRecord): Promise<boolean> {
  const { stager, deadline, console } = parts;
  try {
    await stager.changeEntries(planBless);
    // What was not written is not kept: the next boot would count again.
    if (isOnTrial(viewSlots(await stager.readSlotDisk()))) throw new Error('its boot entry still counts');
  } catch (reason) {
    console.say(`update: version ${version} is healthy and cannot be kept yet: ${messageOf(reason)}`);
    return false;
  }
  await deadline.disarm();
  console.say(`update: version ${version} is proven and kept`);
  return true;
}

/** Healthy, and not proven: the next start by the firmware is counted, and has a contract of its own. */
async function stay({ deadline, console }: ContractParts, { version }: ContractRecord): Promise<void> {
  await deadline.disarm();
  console.say(`update: version ${version} is healthy; it is kept once the firmware has started it too`);
}

async function giveUp(parts: ContractParts, record: ContractRecord): Promise<void> {
  const { console, reboot, signal, soft, sleep = pause } = parts;
  const { version, checks } = record;
  const open = checks.filter(({ verdict }) => verdict !== 'pass').map(({ id }) => id);
  console.say(
    `update: version ${version} is not healthy in time (${open.join(', ')}): the node reboots [update/contract-broken]`,
  );
  // What cannot be written down now is left to the boot loader: it tries the version, and counts.
  await soft?.leave(record).catch((reason: unknown) => console.say(`update: ${messageOf(reason)}`));
  do {
    await reboot().catch((reason: unknown) => console.say(`update: ${reason}`));
    await sleep(END_MS, signal);
  } while (!signal.aborted);
}
