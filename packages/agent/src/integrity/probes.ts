import { randomBytes } from 'node:crypto';
import { constants, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckSpec, type Finding, fail, pass, unknown } from '../checks/check.ts';
import { isWritable, mountHolding, parseMountInfo } from '../kernel/mountinfo.ts';
import { errorCode, type Sys } from '../sys/sys.ts';
import { HOST_MOUNTS, observeRoot } from './root-checks.ts';

export const MOUNT = '/usr/bin/mount';
/** One fixed name, so that the permission model of the runtime can allow it and nothing else. */
const PROBE_NAME = '.plinth-write-probe';

/** No disk is as large as 4 PiB. */
const FAR_OFFSET_BYTES = 2 ** 52;

/** Answers of the kernel that mean "not allowed". A refusal by our own runtime has another code and proves nothing. */
const REFUSALS = ['EROFS', 'EACCES', 'EPERM'];

/**
 * probeChecks ask the kernel to do what it must refuse. A probe that is allowed leaves nothing behind: it writes no
 * byte into a device, and removes the file it made.
 * @param executeDirectory a writable folder on /var
 */
export function probeChecks(executeDirectory: string): readonly CheckSpec[] {
  return [
    refusal('write-root', 'a new file in /', () => tryCreate('/')),
    refusal('write-usr', 'a new file in /usr', () => tryCreate('/usr')),
    refusal('remount-root', 'mount -o remount,rw /', tryRemount),
    refusal('write-root-device', 'a write to the root device', tryRootDevice),
    refusal('execute-var', `executing a file in ${executeDirectory}`, (sys) =>
      tryExecute(sys, executeDirectory),
    ),
  ];
}

function refusal(id: string, act: string, observe: CheckSpec['observe']): CheckSpec {
  return {
    id,
    expected: `the kernel refuses ${act}`,
    source: 'tried at the time of the call',
    fix: 'Take the node out of service: its root is not protected. Boot the signed image again.',
    observe,
  };
}

/** tryCreate makes a file in a folder and removes it again if it could. */
export async function tryCreate(directory: string): Promise<Finding> {
  const path = join(directory, PROBE_NAME);
  try {
    const file = await open(path, 'wx');
    await file.close();
  } catch (reason) {
    return refused(reason);
  }
  await rm(path, { force: true });
  return fail('allowed');
}

/**
 * tryWriteDevice writes one byte far behind the end of a block device: the kernel first looks whether the device may
 * be written (EPERM), then whether there is room (ENOSPC), so nothing is ever changed. Opening alone proves nothing:
 * a read-only device can be opened for writing (Linux block/fops.c, blkdev_write_iter).
 */
export async function tryWriteDevice(path: string): Promise<Finding> {
  try {
    const file = await open(path, constants.O_WRONLY);
    try {
      await file.write(Buffer.alloc(1), 0, 1, FAR_OFFSET_BYTES);
    } finally {
      await file.close();
    }
  } catch (reason) {
    return errorCode(reason) === 'ENOSPC' ? fail('allowed') : refused(reason);
  }
  return fail('allowed');
}

/** tryExecute runs an empty file: the kernel refuses it before it looks inside, or it has nothing to run. */
export async function tryExecute(sys: Sys, directory: string): Promise<Finding> {
  const path = join(directory, `.plinth-execute-probe-${randomBytes(4).toString('hex')}`);
  try {
    const file = await open(path, 'wx', 0o700);
    await file.close();
  } catch (reason) {
    return unknown(`no file could be placed in ${directory}: ${errorCode(reason)}`);
  }
  try {
    await sys.run(path, []);
    return fail('allowed');
  } catch (reason) {
    // An empty file that may be executed gives ENOEXEC, or ENOENT when the C library then looks for a shell.
    const code = errorCode(reason);
    return code === 'ENOEXEC' || code === 'ENOENT' ? fail('allowed') : refused(reason);
  } finally {
    await rm(path, { force: true });
  }
}

async function tryRootDevice(sys: Sys): Promise<Finding> {
  const { name } = await observeRoot(sys);
  return name === undefined
    ? fail('the root is not on a mapped device')
    : tryWriteDevice(`/dev/mapper/${name}`);
}

async function tryRemount(sys: Sys): Promise<Finding> {
  // Nothing is tried on a root that is writable already: taking that back is not for a probe.
  if (await rootIsWritable(sys)) return fail('the root is writable');
  const { exitCode, stderr } = await sys.run(MOUNT, ['-o', 'remount,rw', '/']);
  if (await rootIsWritable(sys)) {
    await sys.run(MOUNT, ['-o', 'remount,ro', '/']);
    return fail('allowed');
  }
  if (exitCode === 0) return pass('the kernel kept the root read-only');
  const text = stderr.trim().split('\n')[0] ?? '';
  // The kernel's answer in the words of mount(8) and of strerror(3).
  const byKernel = /write-protected|read-only|permission denied|not permitted/i.test(text);
  return byKernel ? pass(`refused: ${text}`) : unknown(`mount ended with ${exitCode}: ${text}`);
}

async function rootIsWritable(sys: Sys): Promise<boolean> {
  const root = mountHolding(parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8')), '/');
  if (!root) throw new Error(`${HOST_MOUNTS} has no mount at /`);
  return isWritable(root);
}

function refused(reason: unknown): Finding {
  const code = errorCode(reason);
  return REFUSALS.includes(code)
    ? pass(`refused: ${code}`)
    : unknown(`the attempt ended with ${code || reason}`);
}
