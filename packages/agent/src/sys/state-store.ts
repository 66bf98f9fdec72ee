import { randomBytes } from 'node:crypto';
import { chmod, constants, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import { errorCode, isMissing, type Sys } from './sys.ts';

/** Where plinthd keeps what must survive a restart. */
export interface StateStore {
  /** Why what is written is lost at reboot; undefined when it is kept. */
  readonly volatileBecause: string | undefined;
  read(name: string): Promise<Buffer | undefined>;
  /** Replaces a file whole or not at all, readable by root only. */
  write(name: string, data: Uint8Array): Promise<void>;
  /** Takes a file away; nothing happens when there is none. */
  remove(name: string): Promise<void>;
  /** Puts a file that cannot be used out of the way and keeps it for people to look at. */
  setAside(name: string): Promise<void>;
}

const DISK_FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'];

/**
 * openStateStore opens a folder for state. When it does not lie on a disk, or nothing can be written there, the
 * state is kept in memory and `volatileBecause` says why: a node without /var still has to come up and say so. On a disk
 * that takes nothing, such as a full one, what was stored earlier is read: without its config nobody could reach the node
 * to make room.
 */
export async function openStateStore(sys: Sys, directory: string): Promise<StateStore> {
  let onDisk = false;
  try {
    const mounts = parseMountInfo((await sys.readFile('/proc/self/mountinfo')).toString('utf8'));
    const fileSystem = mountHolding(mounts, directory)?.fileSystem ?? 'nothing';
    if (!DISK_FILE_SYSTEMS.includes(fileSystem))
      return memoryStore(`${directory} is on ${fileSystem}, not on a disk`);
    onDisk = true;
    return await openFolder(directory);
  } catch (reason) {
    const because = `${directory} cannot be written: ${errorCode(reason) || reason}`;
    // What cannot be read either is as if it had never been there.
    const stored = (name: string) => readFile(join(directory, name)).catch(() => undefined);
    return memoryStore(because, onDisk ? stored : undefined);
  }
}

/** openFolder is a store in a folder that is made if it does not exist; a write is tried first. Throws system errors. */
export async function openFolder(directory: string): Promise<StateStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  await writeAtomic(join(directory, 'write-test'), Buffer.from('ok\n'));
  await rm(join(directory, 'write-test'));
  return {
    volatileBecause: undefined,
    async read(name) {
      try {
        return await readFile(join(directory, name));
      } catch (reason) {
        if (isMissing(reason)) return undefined;
        throw reason;
      }
    },
    write: (name, data) => writeAtomic(join(directory, name), data),
    remove: (name) => rm(join(directory, name), { force: true }),
    setAside: (name) => rename(join(directory, name), join(directory, `${name}.unusable`)),
  };
}

/**
 * memoryStore keeps everything in this process.
 * @param stored gives what was stored before; default: nothing was
 */
export function memoryStore(
  volatileBecause: string,
  stored: (name: string) => Promise<Buffer | undefined> = async () => undefined,
): StateStore {
  /** Undefined: taken away. */
  const files = new Map<string, Buffer | undefined>();
  const takeAway = async (name: string) => {
    files.set(name, undefined);
  };
  return {
    volatileBecause,
    read: async (name) => (files.has(name) ? files.get(name) : stored(name)),
    write: async (name, data) => {
      files.set(name, Buffer.from(data));
    },
    remove: takeAway,
    setAside: takeAway,
  };
}

/** Written with O_SYNC: the permission model of the runtime takes fsync away, so each write has to be durable by itself. */
const WRITE_DURABLY = constants.O_WRONLY | constants.O_CREAT | constants.O_SYNC;

async function writeAtomic(path: string, data: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeDurably(temporary, WRITE_DURABLY | constants.O_EXCL, data);
    await rename(temporary, path);
    // The journal of the file system keeps its order: once this later write is on disk, the rename is too.
    await writeDurably(
      join(dirname(path), 'sync-mark'),
      WRITE_DURABLY | constants.O_TRUNC,
      Buffer.from('\n'),
    );
  } catch (reason) {
    await rm(temporary, { force: true });
    throw reason;
  }
}

async function writeDurably(path: string, flags: number, data: Uint8Array): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(data);
  } finally {
    await file.close();
  }
}
