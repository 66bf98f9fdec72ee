import { z } from 'zod';
import { JOURNALCTL } from '../../kubernetes/units/run-unit.ts';
import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import type { FailedBootRecord } from './fall-back-record.ts';

const bootsSchema = z.array(
  z.object({ boot_id: z.string(), first_entry: z.number(), last_entry: z.number() }),
);
type Boot = z.infer<typeof bootsSchema>[number];

/** Boots that are looked at, the last ones. */
const BOOTS_LIMIT = 5;
const EXCERPT_LINES = 40;
const LINE_LIMIT = 300;
const KEPT_LINES = 2_000;
const KEPT_LIMIT_BYTES = 256 * 1024;
const JOURNAL_MS = 30_000;

/** keptJournal is where the journal of a failed boot lies, below plinthd's state folder. */
export function keptJournal(version: string, bootId: string): string {
  return `update/failed/${version}/${bootId}.log`;
}

export interface FailedBootsParts {
  readonly sys: Pick<Sys, 'run'>;
  readonly store: Pick<StateStore, 'write'>;
}

/**
 * keepFailedBoots finds the boots of a version that failed, keeps the end of the journal of each below plinthd's state folder, and
 * gives their last lines of weight. Never throws: a boot that left no journal is not there.
 * @param afterBoot the boot in which the version was activated; undefined: the last `tries` before this one
 */
export async function keepFailedBoots(
  { sys, store }: FailedBootsParts,
  failed: { readonly version: string; readonly afterBoot: string | undefined; readonly tries: number },
  bootId: string,
): Promise<readonly FailedBootRecord[]> {
  const list = await journal(sys, ['--list-boots', '--output=json']);
  const boots = boundedBoots(parseBoots(list ?? ''), failed, bootId);
  const kept: FailedBootRecord[] = [];
  for (const boot of boots) {
    const { boot_id: id } = boot;
    const format = [`--boot=${id}`, '--output=short-iso'];
    const whole = await journal(sys, [...format, `--lines=${KEPT_LINES}`]);
    if (whole !== undefined)
      // A full /var costs this file, not the finding.
      await store
        .write(keptJournal(failed.version, id), Buffer.from(whole).subarray(-KEPT_LIMIT_BYTES))
        .catch(() => {});
    const words = await journal(sys, [...format, '--priority=warning', `--lines=${EXCERPT_LINES}`]);
    kept.push({
      // The journal counts microseconds.
      ...{ bootId: id, beganAtMs: Math.floor(boot.first_entry / 1000) },
      endedAtMs: Math.floor(boot.last_entry / 1000),
      journal: excerpt(words),
    });
  }
  return kept;
}

/** A start by soft-reboot: part of a boot of the kernel, from then on. */
export interface SoftStart {
  readonly version: string;
  /** The kernel's id. */
  readonly bootId: string;
  readonly beganAtMs: number;
  readonly nowMs: number;
}

/** keepSoftStart keeps the journal of a start by soft-reboot that failed, as keepFailedBoots does of boots. Never throws. */
export async function keepSoftStart(
  { sys, store }: FailedBootsParts,
  { version, bootId, beganAtMs, nowMs }: SoftStart,
): Promise<readonly FailedBootRecord[]> {
  const format = [`--since=@${Math.floor(beganAtMs / 1000)}`, '--boot', '--output=short-iso'];
  const whole = await journal(sys, [...format, `--lines=${KEPT_LINES}`]);
  if (whole === undefined) return [];
  await store
    .write(keptJournal(version, bootId), Buffer.from(whole).subarray(-KEPT_LIMIT_BYTES))
    .catch(() => {});
  const words = await journal(sys, [...format, '--priority=warning', `--lines=${EXCERPT_LINES}`]);
  return [{ bootId, beganAtMs, endedAtMs: nowMs, journal: excerpt(words) }];
}

function excerpt(words: string | undefined): string[] {
  return (words ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .slice(-EXCERPT_LINES)
    .map((line) => line.slice(0, LINE_LIMIT));
}

/** boundedBoots chooses the boots of the failed version; pure. */
export function boundedBoots(
  boots: readonly Boot[],
  { afterBoot, tries }: { readonly afterBoot: string | undefined; readonly tries: number },
  bootId: string,
): readonly Boot[] {
  const plain = (id: string) => id.replaceAll('-', '');
  const place = (id: string) => boots.findIndex((boot) => plain(boot.boot_id) === plain(id));
  const own = place(bootId);
  const before = own === -1 ? boots : boots.slice(0, own);
  const first = afterBoot === undefined ? -1 : place(afterBoot);
  const since = first === -1 ? before.slice(tries === 0 ? before.length : -tries) : before.slice(first + 1);
  return since.slice(-BOOTS_LIMIT);
}

/** parseBoots reads what journalctl --list-boots prints as JSON; none when it is not that. */
export function parseBoots(text: string): readonly Boot[] {
  try {
    return bootsSchema.parse(JSON.parse(text)).toSorted((a, b) => a.first_entry - b.first_entry);
  } catch {
    return [];
  }
}

/** Undefined when the journal did not answer. */
async function journal(sys: Pick<Sys, 'run'>, args: readonly string[]): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await sys.run(JOURNALCTL, ['--no-pager', '--quiet', ...args], {
      timeoutMs: JOURNAL_MS,
    });
    return exitCode === 0 ? stdout : undefined;
  } catch {
    return undefined;
  }
}
