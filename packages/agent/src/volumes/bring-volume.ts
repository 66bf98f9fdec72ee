import { isDeepStrictEqual } from 'node:util';
import { PlinthError } from '@plinth/base';
import { type Volume, volumeMountOptions } from '@plinth/config';
import type { NodeConsole } from '../console.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { SYSTEMD_RUN } from '../sys/transient-unit.ts';
import { type Decision, decideVolume, refusal } from './decide-volume.ts';
import { proveBlank } from './prove-blank.ts';
import { type DiskFact, readDisks } from './read-disks.ts';
import { identityOf, keptFor, NO_RECORDS, noted, recordsSchema, type VolumeRecords } from './records.ts';
import {
  type Command,
  checkCommand,
  isDamage,
  mountCommands,
  repartCommand,
  STEP_SECONDS,
  stepUnit,
} from './volume-units.ts';

const STORED = 'volumes.json';
/** The table's copy and the alignment of systemd-repart take less. */
const GROWN_BYTES = 8 * 1024 * 1024;

export interface BringParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
}

/** What became of a volume: without a problem it is mounted. */
export interface Outcome {
  readonly problem?: PlinthError;
  /** What is not as the document says although it is mounted; "" for nothing. */
  readonly concern: string;
}

/** Brings volumes to their places and keeps the notes. */
export interface VolumeBringer {
  /** Reads the notes and drops those of volumes that are not asked for. @throws volume/notes-damaged, and what the store throws */
  keepFor(names: readonly string[]): Promise<void>;
  /** Makes, checks and mounts what is needed. @param all the volumes of the config @throws volume/… */
  bring(volume: Volume, all: readonly Volume[]): Promise<Outcome>;
}

/** volumeBringer works on the machine, one volume after the other. */
export function volumeBringer({ sys, store, console }: BringParts): VolumeBringer {
  let records: VolumeRecords | undefined;

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
      await run(volume, repartCommand(volume.name, device, 'require'));
      console.say(`volume ${volume.name}: made on ${disk.name}, which was empty`);
      return;
    }
    throw refusal(volume, 'volume/disk-not-empty', because.join('; '), 'an empty disk');
  }

  async function bring(volume: Volume, all: readonly Volume[]): Promise<Outcome> {
    // Making shows a new partition, mounting a new mount: three looks at the most.
    for (let looks = 0; ; looks++) {
      const known = records ?? NO_RECORDS;
      const record = known.volumes.find(({ name }) => name === volume.name);
      const decision = decideVolume(volume, await readDisks(sys), record, {
        volumes: all.filter(({ name }) => name !== volume.name),
        records: known.volumes.filter(({ name }) => name !== volume.name),
      });
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

  async function readRecords(): Promise<VolumeRecords> {
    const bytes = await store.read(STORED);
    if (bytes === undefined) return NO_RECORDS;
    try {
      return recordsSchema.parse(JSON.parse(bytes.toString('utf8')));
    } catch (cause) {
      // What cannot be read must not be taken for "nothing was made": it is thrown, round after round.
      throw new PlinthError(
        'volume/notes-damaged',
        `Cannot read the notes of volumes: ${STORED} is not of their shape, expected it as it was written`,
        { cause },
      );
    }
  }

  return {
    async keepFor(names) {
      records ??= await readRecords();
      await save(keptFor(records, names)).catch(() => {});
    },
    bring,
  };
}
