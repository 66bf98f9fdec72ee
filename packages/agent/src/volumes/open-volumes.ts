import { isDeepStrictEqual } from 'node:util';
import { PlinthError } from '@plinth/base';
import { VOLUMES_FOLDER, type Volume, volumeLabel } from '@plinth/config';
import type { CheckSpec } from '../checks/check.ts';
import { pause } from '../repeat.ts';
import { type BringParts, type Outcome, volumeBringer } from './bring-volume.ts';
import { type DisksSeen, readDisks } from './read-disks.ts';
import { volumeChecks } from './volume-checks.ts';
import { unmountCommand } from './volume-units.ts';

/** Ticks between two looks at what is in place, or has been out of place for a while: a look may read 32 MiB of a disk. */
const IDLE_TICKS = 5;
/** systemd waits 90 s for a program that unmounts. */
const UNMOUNT_LIMIT_MS = 120_000;

export interface VolumesParts extends BringParts {
  /** What the config of now asks for; looked at again and again. */
  readonly wanted: () => readonly Volume[];
  /** Whether the files of that config are on the machine. */
  readonly settled: () => boolean;
  readonly signal: AbortSignal;
  /** Between two looks while something is missing; default 3 s. */
  readonly tickMs?: number;
}

/** The volumes of a node. */
export interface Volumes {
  readonly checks: readonly CheckSpec[];
  /** Fulfilled when every required volume is mounted; it waits as long as that takes. @throws the reason of the signal */
  beforeWorkloads(): Promise<void>;
  /** Ends with the signal. */
  readonly ended: Promise<void>;
}

/** openVolumes makes and mounts what the config asks for, one after the other, until the signal aborts. */
export function openVolumes(parts: VolumesParts): Volumes {
  const { sys, console, wanted, settled, signal, tickMs = 3000 } = parts;
  const bringer = volumeBringer(parts);
  let outcomes = new Map<string, Outcome>();
  let leftovers: readonly string[] = [];
  const say = ({ message, code }: PlinthError) => console.say(`${message} [${code}]`);

  async function round(volumes: readonly Volume[]): Promise<void> {
    const names = volumes.map(({ name }) => name);
    await bringer.keepFor(names);
    leftovers = await unmountOthers(names);
    const next = new Map<string, Outcome>();
    for (const volume of volumes) {
      signal.throwIfAborted();
      const before = outcomes.get(volume.name);
      const outcome = await bringer.bring(volume, volumes).catch((reason: unknown): Outcome => {
        signal.throwIfAborted();
        const problem = PlinthError.from(reason, 'volume/failed', `Cannot mount volume ${volume.name}`);
        if (before?.problem?.message !== problem.message) say(problem);
        return { problem, concern: '' };
      });
      next.set(volume.name, outcome);
      outcomes = new Map([...outcomes, [volume.name, outcome]]);
    }
    outcomes = next;
  }

  /** Volumes of ours that no document asks for. @returns those that are in use */
  async function unmountOthers(names: readonly string[]): Promise<readonly string[]> {
    const stuck: string[] = [];
    for (const name of othersMounted(await readDisks(sys), names)) {
      const [program, args] = unmountCommand(name);
      const { exitCode } = await sys.run(program, args, { timeoutMs: UNMOUNT_LIMIT_MS });
      if (exitCode === 0) console.say(`volume ${name}: unmounted, its data stays`);
      else stuck.push(name);
    }
    return stuck;
  }

  let failure: PlinthError | undefined;
  const isGood = (volume: Volume) => {
    const outcome = outcomes.get(volume.name);
    return outcome !== undefined && outcome.problem === undefined;
  };
  const ended = (async () => {
    let seen: readonly Volume[] | undefined;
    let failedLooks = 0;
    for (let idle = 0; !signal.aborted; idle++) {
      const volumes = wanted();
      const isNew = !isDeepStrictEqual(volumes, seen);
      const isDone = volumes.every(isGood) && leftovers.length === 0 && failure === undefined;
      failedLooks = isNew || isDone ? 0 : failedLooks;
      const isUrgent = isNew || (!isDone && failedLooks < IDLE_TICKS);
      const isIdle = isDone && volumes.length === 0;
      if (settled() && (isUrgent || (!isIdle && idle % IDLE_TICKS === 0))) {
        failedLooks++;
        const before = failure?.message;
        failure = await round(volumes).then(
          () => undefined,
          (reason: unknown) => PlinthError.from(reason, 'volume/failed', 'Cannot look at the volumes'),
        );
        if (failure && failure.message !== before && !signal.aborted) say(failure);
        seen = volumes;
      }
      await pause(tickMs, signal);
    }
  })();

  return {
    ended,
    async beforeWorkloads() {
      for (let said = false; ; said = true) {
        signal.throwIfAborted();
        const missing = wanted().filter((volume) => volume.required && !isGood(volume));
        if (settled() && missing.length === 0) return;
        if (!said && missing.length > 0)
          console.say(`workloads wait for the volumes ${missing.map(({ name }) => name).join(', ')}`);
        await pause(Math.min(tickMs, 500), signal);
      }
    },
    checks: volumeChecks(() => ({
      wanted: wanted(),
      outcomeOf: (name) => outcomes.get(name),
      leftovers,
      failure,
    })),
  };
}

/** othersMounted are the volumes, by their labels, that are mounted at their places and not in the list. Pure. */
export function othersMounted({ disks, mounts }: DisksSeen, names: readonly string[]): readonly string[] {
  const partitions = disks.flatMap((disk) => disk.partitions);
  return mounts.flatMap(({ target, device }) => {
    if (!target.startsWith(`${VOLUMES_FOLDER}/`)) return [];
    const name = target.slice(VOLUMES_FOLDER.length + 1);
    const isOurs = partitions.some((each) => each.device === device && each.label === volumeLabel(name));
    return isOurs && !names.includes(name) ? [name] : [];
  });
}
