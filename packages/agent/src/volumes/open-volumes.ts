import { isDeepStrictEqual } from 'node:util';
import { PlinthError } from '@plinth/base';
import { VOLUMES_FOLDER, type Volume, volumeLabel, volumeMountOptions } from '@plinth/config';
import { SYSTEMD_RUN } from '../capture/capture-arguments.ts';
import { type CheckSpec, fail, pass, unknown } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import { pause } from '../repeat.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { type Decision, decideVolume, refusal } from './decide-volume.ts';
import { proveBlank } from './prove-blank.ts';
import { type DiskFact, type DisksSeen, readDisks } from './read-disks.ts';
import { identityOf, keptFor, NO_RECORDS, noted, recordsSchema, type VolumeRecords } from './records.ts';
import {
  type Command,
  checkCommand,
  isDamage,
  mountCommands,
  repartCommand,
  STEP_SECONDS,
  stepUnit,
  unmountCommand,
} from './volume-units.ts';

const STORED = 'volumes.json';
const IDLE_TICKS = 5;
/** The table's copy and the alignment of systemd-repart take less. */
const GROWN_BYTES = 8 * 1024 * 1024;

export interface VolumesParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
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

/** What became of a volume: undefined is mounted. */
type Outcome = { readonly problem?: PlinthError; readonly concern: string };

/** openVolumes makes and mounts what the config asks for, one after the other, until the signal aborts. */
export function openVolumes(parts: VolumesParts): Volumes {
  const { sys, store, console, wanted, settled, signal, tickMs = 3000 } = parts;
  let records: VolumeRecords | undefined;
  let outcomes = new Map<string, Outcome>();
  let leftovers: readonly string[] = [];

  const save = async (next: VolumeRecords) => {
    if (isDeepStrictEqual(next, records)) return;
    await store.write(STORED, Buffer.from(JSON.stringify(next)));
    records = next;
  };

  const run = async (
    volume: Volume,
    [program, args]: Command,
    isDamage: (exitCode: number) => boolean = () => false,
  ) => {
    const { exitCode, stderr } = await sys.run(program, args, { timeoutMs: (STEP_SECONDS + 60) * 1000 });
    if (exitCode === 0) return;
    const unit = program === SYSTEMD_RUN ? stepUnit(volume.name) : args.join(' ');
    const words = stderr.trim() === '' ? '' : `: ${stderr.trim()}`;
    const code = isDamage(exitCode) ? 'volume/damaged' : 'volume/failed';
    throw refusal(volume, code, `${unit} ended with ${exitCode}${words}`, '0');
  };

  async function mount(volume: Volume, disk: DiskFact, partition: { name: string; endBytes: number }) {
    const device = `/dev/${partition.name}`;
    if (disk.sizeBytes - partition.endBytes > GROWN_BYTES)
      await run(volume, repartCommand(volume.name, `/dev/${disk.name}`, 'refuse'));
    await run(volume, checkCommand(volume.name, device), isDamage);
    for (const command of mountCommands(volume.name)) await run(volume, command);
    console.say(`volume ${volume.name}: mounted from ${partition.name}`);
  }

  /** Makes it on the first disk that is blank. */
  async function make(
    volume: Volume,
    { candidates, resumed }: Extract<Decision, { kind: 'make' }>,
    known: VolumeRecords,
  ) {
    if (store.volatileBecause !== undefined)
      throw refusal(volume, 'volume/cannot-remember', store.volatileBecause, '/var on a disk');
    const because: string[] = [];
    for (const disk of candidates) {
      const device = `/dev/${disk.name}`;
      const reason = await proveBlank(sys, device, disk.sizeBytes, resumed);
      if (reason !== undefined) {
        because.push(`${disk.name}: ${reason}`);
        continue;
      }
      await save(noted(known, { name: volume.name, state: 'making', disk: identityOf(disk) }));
      console.say(`volume ${volume.name}: made on ${disk.name}, which is empty`);
      await run(volume, repartCommand(volume.name, device, 'require'));
      return;
    }
    throw refusal(volume, 'volume/disk-not-empty', because.join('; '), 'an empty disk');
  }

  async function bring(volume: Volume): Promise<Outcome> {
    // Making shows a new partition, mounting a new mount: three looks at the most.
    for (let looks = 0; ; looks++) {
      const known = records ?? NO_RECORDS;
      const record = known.volumes.find(({ name }) => name === volume.name);
      const decision = decideVolume(volume, await readDisks(sys), record);
      if (decision.kind === 'refused') throw decision.problem;
      if (looks === 3)
        throw refusal(volume, 'volume/failed', `still to be done: ${decision.kind}`, 'it mounted');
      if (decision.kind === 'make') await make(volume, decision, known);
      else {
        // A failure to note what is on the disk itself is no reason to withhold it.
        const note = { name: volume.name, state: 'made', disk: identityOf(decision.disk) } as const;
        await save(noted(known, note)).catch(() => {});
        if (decision.kind === 'mount') await mount(volume, decision.disk, decision.partition);
        else {
          const lacking = volumeMountOptions(volume).filter(
            (each) => !decision.mount.mountOptions.includes(each),
          );
          const concern =
            lacking.length > 0 ? `it lacks ${lacking.join(', ')} until a reboot` : decision.concern;
          return { concern };
        }
      }
    }
  }

  async function round(volumes: readonly Volume[]): Promise<void> {
    const names = volumes.map(({ name }) => name);
    records ??= await readRecords();
    await save(keptFor(records, names)).catch(() => {});
    leftovers = await unmountOthers(names);
    const next = new Map<string, Outcome>();
    for (const volume of volumes) {
      signal.throwIfAborted();
      const before = outcomes.get(volume.name);
      const outcome = await bring(volume).catch((reason: unknown): Outcome => {
        signal.throwIfAborted();
        const problem = PlinthError.from(reason, 'volume/failed', `Cannot mount volume ${volume.name}`);
        if (before?.problem?.message !== problem.message) console.say(`${problem.message} [${problem.code}]`);
        return { problem, concern: '' };
      });
      next.set(volume.name, outcome);
      outcomes = new Map([...outcomes, [volume.name, outcome]]);
    }
    outcomes = next;
  }

  async function readRecords(): Promise<VolumeRecords> {
    const bytes = await store.read(STORED);
    // What cannot be read must not be taken for "nothing was made": it is thrown, round after round.
    return bytes === undefined ? NO_RECORDS : recordsSchema.parse(JSON.parse(bytes.toString('utf8')));
  }

  /** Volumes of ours that no document asks for. @returns those that are in use */
  async function unmountOthers(names: readonly string[]): Promise<readonly string[]> {
    const stuck: string[] = [];
    for (const name of othersMounted(await readDisks(sys), names)) {
      const [program, args] = unmountCommand(name);
      const { exitCode } = await sys.run(program, args, { timeoutMs: 120_000 });
      if (exitCode === 0) console.say(`volume ${name}: unmounted, its data stays`);
      else stuck.push(name);
    }
    return stuck;
  }

  let failure: string | undefined;
  const isGood = (volume: Volume) => {
    const outcome = outcomes.get(volume.name);
    return outcome !== undefined && outcome.problem === undefined;
  };
  const ended = (async () => {
    let seen: readonly Volume[] | undefined;
    for (let idle = 0; !signal.aborted; idle++) {
      const volumes = wanted();
      const isNew = !isDeepStrictEqual(volumes, seen);
      const isDone = volumes.every(isGood) && leftovers.length === 0 && failure === undefined;
      // What is in place is looked at more seldom, and nothing at all where there is none.
      if (settled() && (isNew || !isDone || (volumes.length > 0 && idle % IDLE_TICKS === 0))) {
        failure = await round(volumes).then(() => undefined, String);
        seen = volumes;
      }
      await pause(tickMs, signal);
    }
  })();

  const judge = (volumes: readonly Volume[]) => {
    if (volumes.length === 0) return pass('none are given');
    if (failure !== undefined) return unknown(`could not be looked at: ${failure}`);
    const problems = volumes.flatMap((each) => outcomes.get(each.name)?.problem ?? []);
    const [first] = problems;
    if (first)
      return {
        ...fail(problems.map((each) => each.message).join('; ')),
        ...(first.hint && { fix: first.hint }),
      };
    if (!volumes.every(isGood)) return unknown('they have not been looked at yet');
    const concerns = volumes.flatMap(({ name }) => {
      const concern = outcomes.get(name)?.concern ?? '';
      return concern === '' ? [] : [`${name}: ${concern}`];
    });
    if (concerns.length > 0) return fail(concerns.join('; '));
    return pass(`${volumes.map(({ name }) => name).join(', ')} mounted`);
  };
  const common = {
    expected: 'each mounted, on the disk and with the options of the machine config',
    source: `the machine config, documents Volume; /sys/block, ${VOLUMES_FOLDER}`,
    cause: 'a disk is missing, carries something else, or is damaged.',
    fix: 'Compare "plinth get disks" with the documents Volume of "plinth config show".',
  };
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
    checks: [
      {
        ...common,
        id: 'volumes',
        async observe() {
          if (leftovers.length > 0)
            return {
              ...fail(`${leftovers.join(', ')} is in use and still mounted, though no document asks for it`),
              fix: 'End the pods that use it, or reboot the node.',
            };
          return judge(wanted().filter(({ required }) => !required));
        },
      },
      {
        ...common,
        id: 'required-volumes',
        critical: true,
        observe: async () => judge(wanted().filter(({ required }) => required)),
      },
    ],
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
