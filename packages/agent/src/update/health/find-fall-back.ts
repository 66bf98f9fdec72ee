import { messageOf } from '@plinth/base';
import { planRecover, type SlotView, viewSlots } from '@plinth/updates';
import type { NodeConsole } from '../../console.ts';
import type { BootEnd } from '../../machine/judge-boot-end.ts';
import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import { blockVersion, unblockVersion } from '../blocked-versions.ts';
import type { FailedVersion, Stager, UpdateState, UpdateStore } from '../types.ts';
import { keepFailedBoots, keptJournal } from './failed-boots.ts';
import type { FallBackRecord } from './fall-back-record.ts';
import { judgeFallBack } from './judge-fall-back.ts';

interface FindFallBackParts {
  readonly sys: Pick<Sys, 'run' | 'nowMs'>;
  readonly files: Pick<StateStore, 'write' | 'remove'>;
  readonly store: UpdateStore;
  readonly stager: Pick<Stager, 'readSlotDisk' | 'changeEntries'>;
  readonly console: NodeConsole;
  readonly bootId: string;
  /** How the boot before this one ended. */
  bootEnd(): Promise<BootEnd>;
  /** Hears of what was found, for the records. */
  onFound(record: FallBackRecord): void;
}

/**
 * findFallBack looks, once after each boot, whether this boot is there because another version did not prove itself; if so it finds
 * out why, keeps the journals, and blocks the version on this node. Before that it settles what a power cut left of boot entries.
 * @throws update/disk-unreadable
 */
export async function findFallBack(parts: FindFallBackParts): Promise<FallBackRecord | undefined> {
  const { sys, store, stager, console, bootId } = parts;
  const view = viewSlots(await stager.readSlotDisk());
  const state = await store.read();
  const found = judgeFallBack({ view, state, bootId });
  // Only now: to settle takes away what tells.
  await stager
    .changeEntries(planRecover)
    .catch((reason: unknown) => console.say(`update: boot entries cannot be settled: ${messageOf(reason)}`));
  if (!found) {
    if (withoutOwnBlock(state, view) !== state) await store.change((now) => withoutOwnBlock(now, view));
    return undefined;
  }
  const { afterBoot, ...rest } = found;
  const [boots, end] = await Promise.all([
    keepFailedBoots(
      { sys, store: parts.files },
      { version: found.from, afterBoot, tries: found.tries },
      bootId,
    ),
    parts.bootEnd().catch(() => undefined),
  ]);
  const record: FallBackRecord = {
    ...rest,
    ...{ reason: withEnd(found, boots.length > 0, end), foundAtMs: sys.nowMs(), bootId, boots: [...boots] },
    ...(end && { end: { kind: end.kind, evidence: [...end.evidence].map((text) => text.slice(0, 300)) } }),
    checks: [...found.checks],
  };
  await forgetJournals(parts, state, record);
  // A full /var must not keep it from being said; the disk tells of it again at the next start.
  await store
    .change((now) => withFallBack(now, record))
    .catch((reason: unknown) => console.say(`update: the fall-back cannot be stored: ${messageOf(reason)}`));
  console.say(
    `update: the node fell back from ${record.from} to ${record.to}: ${record.reason} [${record.code}]`,
  );
  parts.onFound(record);
  return record;
}

/** withFallBack remembers a fall-back and blocks the version; pure. */
export function withFallBack(state: UpdateState, record: FallBackRecord): UpdateState {
  const { activated, failed, ...rest } = state;
  const entry: FailedVersion = {
    ...{ version: record.from, atMs: record.foundAtMs, reason: record.reason, code: 'update/fell-back' },
  };
  return {
    ...rest,
    failed: blockVersion(failed, entry),
    fallBack: record,
    // It is over: the next start must not find it again.
    ...(activated && activated.version !== record.from && { activated }),
  };
}

/**
 * withoutOwnBlock takes the block off a version that runs: power went in the last moment of going back from it, and it was not left. One
 * that a soft-reboot went to is on trial then, and proves itself or is blocked again; pure. The same state where there is nothing to take off.
 */
function withoutOwnBlock(state: UpdateState, { booted }: Pick<SlotView, 'booted'>): UpdateState {
  const { version } = booted;
  if (!state.failed.some((each) => each.version === version)) return state;
  const { activated, ...rest } = state;
  return {
    ...rest,
    failed: unblockVersion(state.failed, version),
    ...(activated && activated.from !== version && { activated }),
  };
}

/** What was left behind says more than that it ended, where the node saw it. */
function withEnd(
  { reason, code, checks }: Pick<FallBackRecord, 'reason' | 'code' | 'checks'>,
  leftJournal: boolean,
  end: BootEnd | undefined,
): string {
  const words: Partial<Record<BootEnd['kind'], string>> = {
    'kernel-panic': 'the kernel died',
    watchdog: 'the watchdog started the machine anew',
    abrupt: 'the last boot ended without a sign: a reset, a hang, or a loss of power',
  };
  const word = end && words[end.kind];
  if (word !== undefined) return `${reason}; ${word}`;
  // /var is as the version before left it, and nothing was written there since.
  const untouched = (end?.kind === 'reboot' || end?.kind === 'orderly') && !leftJournal;
  const early = untouched && code === 'update/boot-died' && checks.length === 0;
  return early ? `${reason}: its kernel or its initrd ended them before /var was mounted` : reason;
}

/** Journals of one version are enough: /var is not theirs. */
async function forgetJournals(
  { files }: Pick<FindFallBackParts, 'files'>,
  { fallBack }: UpdateState,
  record: FallBackRecord,
): Promise<void> {
  const kept = new Set(record.boots.map(({ bootId }) => keptJournal(record.from, bootId)));
  for (const { bootId } of fallBack?.boots ?? []) {
    const name = keptJournal(fallBack?.from ?? '', bootId);
    if (!kept.has(name)) await files.remove(name).catch(() => {});
  }
}
