import type { ProgramResult, Sys } from '../sys/sys.ts';
import { fakeSys, systemError } from '../testing/fake-sys.ts';
import { BLKID } from './prove-blank.ts';

/** A drive of the model. */
export interface ModelDisk {
  sizeBytes: number;
  serial: string;
  /** Label of its one partition. */
  label?: string;
  partitionBytes?: number;
  /** What libblkid says of the whole disk. */
  signature?: string;
  /** Byte that is not zero. */
  dirtyAt?: number;
  /** What e2fsck ends with. */
  e2fsck?: number;
  /** Somebody holds a file on it. */
  busy?: boolean;
}

/** A machine of which volumes see what they read, and on which their commands do what the programs do. */
export interface ModelMachine {
  readonly sys: Sys;
  readonly disks: Map<string, ModelDisk>;
  /** Place to partition. */
  readonly mounts: Map<string, string>;
  /** Options of mounts, by place. */
  readonly options: Map<string, string>;
  /** What was done, in order: "make vdb data", "grow vdb", "check vdb1", "mount data", "unmount data". */
  readonly done: string[];
  /** Called around each command that changes something; it throws to cut off what comes after. */
  interrupt: (moment: string) => void;
}

const OK: ProgramResult = { exitCode: 0, stdout: '', stderr: '' };
const failed = (exitCode: number, stderr = ''): ProgramResult => ({ exitCode, stdout: '', stderr });
const MIB = 1024 * 1024;

/** modelMachine is a machine with these disks. */
export function modelMachine(disks: Readonly<Record<string, ModelDisk>>): ModelMachine {
  const model: ModelMachine = {
    disks: new Map(Object.entries(disks).map(([name, disk]) => [name, { ...disk }])),
    ...{ mounts: new Map(), options: new Map(), done: [], interrupt: () => {} },
    sys: {
      ...fakeSys({}),
      readFile: (path) => now().readFile(path),
      readDir: (path) => now().readDir(path),
      async readRange(path, offset, lengthBytes) {
        const disk = model.disks.get(path.replace('/dev/', ''));
        if (!disk) throw systemError('ENOENT', path);
        const bytes = Buffer.alloc(Math.max(0, Math.min(lengthBytes, disk.sizeBytes - offset)));
        if (disk.dirtyAt !== undefined && disk.dirtyAt >= offset && disk.dirtyAt < offset + bytes.length)
          bytes[disk.dirtyAt - offset] = 1;
        return bytes;
      },
      async run(program, args) {
        if (program === BLKID) return probe(args.at(-1) ?? '');
        if (args[0] === 'daemon-reload') return OK;
        model.interrupt('before');
        const result = change(program, args);
        model.interrupt('after');
        return result;
      },
    },
  };

  function now(): Sys {
    const files: Record<string, string> = { '/sys/block/loop0/size': '8\n' };
    for (const [name, { sizeBytes, serial, label, partitionBytes }] of model.disks) {
      const folder = `/sys/block/${name}`;
      Object.assign(files, {
        [`${folder}/size`]: `${sizeBytes / 512}\n`,
        [`${folder}/dev`]: `${deviceOf(name)}\n`,
        [`${folder}/serial`]: serial,
        ...{ [`${folder}/ro`]: '0\n', [`${folder}/removable`]: '0\n' },
      });
      if (label === undefined) continue;
      const part = `${folder}/${name}1`;
      Object.assign(files, {
        ...{ [`${part}/start`]: '2048\n', [`${part}/dev`]: `${deviceOf(`${name}1`)}\n` },
        [`${part}/size`]: `${((partitionBytes ?? sizeBytes) - 2 * MIB) / 512}\n`,
        [`${part}/uevent`]: `DEVTYPE=partition\nPARTNAME=${label}\n`,
      });
    }
    files['/proc/1/mountinfo'] = [...model.mounts]
      .map(([place, name]) => {
        const options = model.options.get(place) ?? 'nosuid,nodev,noexec';
        return `36 35 ${deviceOf(name)} / ${place} rw,${options} - ext4 /dev/${name} rw\n`;
      })
      .join('');
    return fakeSys({ files });
  }

  function probe(device: string): ProgramResult {
    const disk = model.disks.get(device.replace('/dev/', ''));
    if (!disk) return failed(2);
    if (disk.signature !== undefined) return { ...OK, stdout: `TYPE=${disk.signature}\n` };
    return disk.label === undefined ? failed(2) : { ...OK, stdout: 'PTTYPE=gpt\n' };
  }

  function change(program: string, args: readonly string[]): ProgramResult {
    const last = (args.at(-1) ?? '').replace('/dev/', '');
    if (program.endsWith('systemd-run') && args.includes('/usr/bin/systemd-repart')) {
      const disk = model.disks.get(last);
      const volume = args
        .find((each) => each.startsWith('--definitions='))
        ?.split('/')
        .at(-1);
      if (!disk || !volume) return failed(1, 'no such disk');
      if (args.includes('--empty=require')) {
        model.done.push(`make ${last} ${volume}`);
        disk.label = `plinth-volume-${volume}`;
      } else model.done.push(`grow ${last}`);
      disk.partitionBytes = disk.sizeBytes;
      return OK;
    }
    if (program.endsWith('systemd-run')) {
      model.done.push(`check ${last}`);
      return failed(model.disks.get(last.slice(0, -1))?.e2fsck ?? 0);
    }
    const [, name = ''] = /^var-mnt-(.*)\.mount$/.exec(last) ?? [];
    if (name === '') return OK;
    const place = `/var/mnt/${name}`;
    const [disk, of] = [...model.disks].find(([, each]) => each.label === `plinth-volume-${name}`) ?? [];
    if (args[0] === 'stop') {
      if (of?.busy) return failed(1, 'target is busy');
      model.done.push(`unmount ${name}`);
      model.mounts.delete(place);
      return OK;
    }
    if (disk === undefined) return failed(1, 'timed out');
    model.done.push(`mount ${name}`);
    model.mounts.set(place, `${disk}1`);
    return OK;
  }
  return model;
}

function deviceOf(name: string): string {
  return `254:${[...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 0)}`;
}
