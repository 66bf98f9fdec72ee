import { NETWORKCTL } from '../../network/networkctl.ts';
import { SYSTEMCTL } from '../../reports/versions.ts';
import type { Sys } from '../../sys/sys.ts';
import { findDrift, type MachineFiles, type WantedFile } from './machine-files.ts';
import type { Effect } from './state.ts';
import { OWN_UNIT } from './work.ts';

const NETWORKD = 'systemd-networkd.service';
/** A unit that stops and starts, containerd with many containers at the most. */
const UNIT_LIMIT_MS = 60_000;

/** What the machine is to be like. */
export interface Goal {
  readonly files: readonly WantedFile[];
  /** Files that an earlier config may have left. */
  readonly owned: readonly string[];
  readonly effects: readonly Effect[];
}

/** What became of the work. */
export interface Done {
  /** plinthd has to start anew for the rest. */
  readonly restartOwn: boolean;
}

/**
 * bringAbout makes the machine as the goal says: files first, then units. It may be cut off anywhere and is then done
 * again from the start: each part of it gives the same when done twice. Throws what the first part that fails throws.
 */
export async function bringAbout(
  sys: Sys,
  machine: MachineFiles,
  { files, owned, effects }: Goal,
): Promise<Done> {
  const wanted = new Set(files.map(({ path }) => path));
  for (const path of owned) if (!wanted.has(path)) await named(path, machine.remove(path));
  const differing = new Set((await findDrift(sys, files)).map(({ path }) => path));
  for (const { path, mode, text } of files)
    if (differing.has(path)) await named(path, machine.write(path, mode, text));
  for (const effect of effects) await takeEffect(sys, effect);
  return { restartOwn: effects.some((each) => each.kind === 'restart' && each.unit === OWN_UNIT) };
}

/** The runtime's own refusals do not say which file they speak of. */
async function named(path: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (reason) {
    throw new Error(`cannot change ${path}: ${reason instanceof Error ? reason.message : reason}`, {
      cause: reason,
    });
  }
}

async function takeEffect(sys: Sys, effect: Effect): Promise<void> {
  if (effect.kind !== 'reload' && effect.kind !== 'restart') return;
  if (effect.unit === OWN_UNIT) return;
  const [program, args] = commandFor(effect);
  const { exitCode, stderr } = await sys.run(program, args, { timeoutMs: UNIT_LIMIT_MS });
  if (exitCode === 0) return;
  throw new Error(`${program.split('/').at(-1)} ${args.join(' ')} ended with ${exitCode}: ${stderr.trim()}`);
}

/** A unit that does not run is left alone: it reads its files when it starts. */
function commandFor({ kind, unit }: Extract<Effect, { unit: string }>): readonly [string, readonly string[]] {
  // networkctl answers with what networkd made of its files; a reload by the unit only says that it was asked.
  if (kind === 'reload' && unit === NETWORKD) return [NETWORKCTL, ['reload']];
  return [SYSTEMCTL, [kind === 'reload' ? 'try-reload-or-restart' : 'try-restart', unit]];
}
