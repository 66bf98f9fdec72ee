import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodeSys } from '../sys/node-sys.ts';
import type { Sys } from '../sys/sys.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { SOUND_MOUNTS, soundNode } from '../testing/sound-node.ts';
import { probeChecks, tryCreate, tryExecute, tryWriteDevice } from './probes.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plinth-probe-'));
});
after(() => rm(directory, { recursive: true, force: true }));

test('a probe that is allowed fails and leaves nothing behind', async () => {
  assert.equal((await tryCreate(directory)).verdict, 'fail');
  assert.equal((await tryExecute(nodeSys(), directory)).verdict, 'fail');
  assert.deepEqual(await readdir(directory), []);
});

test('tryWriteDevice fails where writing is allowed', async () => {
  assert.equal((await tryWriteDevice('/dev/null')).verdict, 'fail');
});

/** A loop device over a file of zeros; undefined where the machine has none to give. */
function loopDevice(...options: string[]): string | undefined {
  const file = join(directory, `disk-${options.length}`);
  writeFileSync(file, Buffer.alloc(1 << 20));
  const { status, stdout } = spawnSync('losetup', ['--find', '--show', ...options, file], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
}

test('the kernel refuses a write to a read-only device; one to another changes nothing', async (context) => {
  const writable = loopDevice();
  const readOnly = loopDevice('--read-only');
  if (!writable || !readOnly) return context.skip('this machine allows no loop devices');
  try {
    assert.deepEqual(await tryWriteDevice(readOnly), { verdict: 'pass', observed: 'refused: EPERM' });
    assert.deepEqual(await tryWriteDevice(writable), { verdict: 'fail', observed: 'allowed' });
    assert.ok(readFileSync(writable).equals(Buffer.alloc(1 << 20)));
  } finally {
    spawnSync('losetup', ['--detach', writable, readOnly]);
  }
});

test('an attempt that proves nothing is unknown', async () => {
  assert.equal((await tryCreate(join(directory, 'none'))).verdict, 'unknown');
  assert.equal((await tryExecute(nodeSys(), join(directory, 'none'))).verdict, 'unknown');
});

/** Runs the probes in a mount namespace whose /mnt is read-only, or forbids execution. */
function probeUnder(options: string, expression: string) {
  const probes = new URL('./probes.ts', import.meta.url).href;
  const sys = new URL('../sys/node-sys.ts', import.meta.url).href;
  const script = `import * as p from '${probes}'; import { nodeSys } from '${sys}'; console.log(JSON.stringify(await ${expression}));`;
  const inner = `mount -t tmpfs -o ${options} none /mnt && exec "$0" --input-type=module -e "$1"`;
  return spawnSync('unshare', ['--mount', '/bin/sh', '-c', inner, process.execPath, script], {
    encoding: 'utf8',
  });
}

const namespaces = spawnSync('unshare', ['--mount', 'true']).status === 0;
const skip = namespaces ? false : 'this machine allows no mount namespaces';

test('the kernel refuses a write on a read-only file system', { skip }, () => {
  const { stdout, stderr } = probeUnder('ro', "p.tryCreate('/mnt')");
  assert.deepEqual(JSON.parse(stdout || '{}'), { verdict: 'pass', observed: 'refused: EROFS' }, stderr);
});

test('the kernel refuses to execute from a noexec file system', { skip }, () => {
  const { stdout, stderr } = probeUnder('noexec', "p.tryExecute(nodeSys(), '/mnt')");
  assert.deepEqual(JSON.parse(stdout || '{}'), { verdict: 'pass', observed: 'refused: EACCES' }, stderr);
});

async function remount(machine: Parameters<typeof fakeSys>[0]) {
  const probe = probeChecks('/var').find(({ id }) => id === 'remount-root');
  assert.ok(probe);
  return probe.observe(fakeSys(machine));
}

test('a refused remount passes', async () => {
  assert.match((await remount(soundNode())).observed, /write-protected/);
});

/** A machine whose root becomes writable when told so, and the commands it was given. */
function yieldingMachine(writable: boolean) {
  const commands: string[] = [];
  let mounts = SOUND_MOUNTS.replace(
    /^24 .*$/m,
    `24 1 254:2 / / ${writable ? 'rw' : 'ro'} - ext4 /dev/vda2 rw`,
  );
  const sys: Sys = {
    ...fakeSys(soundNode()),
    readFile: async () => Buffer.from(mounts),
    run: async (program, args) => {
      commands.push([program, ...args].join(' '));
      mounts = mounts.replace('/ / ro', '/ / rw');
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  };
  return { sys, commands };
}

test('a remount that made the root writable fails, and is undone', async () => {
  const { sys, commands } = yieldingMachine(false);
  const probe = probeChecks('/var').find(({ id }) => id === 'remount-root');
  assert.deepEqual(await probe?.observe(sys), { verdict: 'fail', observed: 'allowed' });
  assert.deepEqual(commands, ['/usr/bin/mount -o remount,rw /', '/usr/bin/mount -o remount,ro /']);
});

test('nothing is tried on a root that is writable already', async () => {
  const { sys, commands } = yieldingMachine(true);
  const probe = probeChecks('/var').find(({ id }) => id === 'remount-root');
  assert.equal((await probe?.observe(sys))?.verdict, 'fail');
  assert.deepEqual(commands, []);
});

test('a mount program that fails for another reason proves nothing', async () => {
  const node = soundNode();
  const answer = { exitCode: 1, stdout: '', stderr: 'mount: bad usage\n' };
  const programs = { ...node.programs, '/usr/bin/mount -o remount,rw /': answer };
  assert.equal((await remount({ ...node, programs })).verdict, 'unknown');
});
