import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeSys } from '../../sys/node-sys.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { bringAbout } from './bring-about.ts';
import { findDrift, machineFiles } from './machine-files.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-config-'));
  const umask = process.umask(0o077);
  try {
    await work(folder);
  } finally {
    process.umask(umask);
    await rm(folder, { recursive: true });
  }
}

test('files are written whole, with their mode, in folders that services can read, and nothing else is left', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a', 'b', '20-plinth.network');
    const files = machineFiles();
    await files.write(path, 0o644, 'one');
    await files.write(path, 0o640, 'two');
    assert.equal(await readFile(path, 'utf8'), 'two');
    assert.equal((await stat(path)).mode & 0o777, 0o640);
    assert.equal((await stat(join(folder, 'a'))).mode & 0o777, 0o755);
    assert.equal((await stat(join(folder, 'a', 'b'))).mode & 0o777, 0o755);
    assert.deepEqual(await readdir(join(folder, 'a', 'b')), ['20-plinth.network']);
    await files.remove(path);
    await files.remove(path);
    assert.deepEqual(await readdir(join(folder, 'a', 'b')), []);
  }));

test('drift names what was changed, is gone or has another mode, and never what is in it', () =>
  inFolder(async (folder) => {
    const files = machineFiles();
    const wanted = ['same', 'changed', 'folder', 'gone', 'open'].map((name) => ({
      ...{ path: join(folder, name), mode: 0o600, text: `secret of ${name}` },
    }));
    for (const { path, mode, text } of wanted) await files.write(path, mode, text);
    assert.deepEqual(await findDrift(nodeSys(), wanted), []);
    await writeFile(join(folder, 'changed'), 'secret of nobody');
    await files.remove(join(folder, 'folder'));
    await mkdir(join(folder, 'folder'));
    await files.remove(join(folder, 'gone'));
    await files.write(join(folder, 'open'), 0o666, 'secret of open');
    assert.deepEqual(await findDrift(nodeSys(), wanted), [
      { path: join(folder, 'changed'), difference: 'was changed' },
      { path: join(folder, 'folder'), difference: 'cannot be read: EISDIR' },
      { path: join(folder, 'gone'), difference: 'is gone' },
      { path: join(folder, 'open'), difference: 'has mode 0666, expected 0600' },
    ]);
  }));

test('bringing about removes what an earlier config left, writes only what differs, then asks the units', () =>
  inFolder(async (folder) => {
    const files = machineFiles();
    const [old, kept, fresh] = ['old', 'kept', 'fresh'].map((name) => join(folder, name));
    assert.ok(old && kept && fresh);
    await files.write(old, 0o644, 'old');
    await files.write(kept, 0o644, 'kept');
    const { ino } = await stat(kept);
    const commands: string[] = [];
    const sys = {
      ...fakeSys({}),
      readFile: nodeSys().readFile,
      status: nodeSys().status,
      run: async (program: string, args: readonly string[]) => {
        commands.push([program, ...args].join(' '));
        return { exitCode: 0, stdout: '', stderr: '' };
      },
    };
    const { restartOwn } = await bringAbout(sys, files, {
      files: [
        { path: kept, mode: 0o644, text: 'kept' },
        { path: fresh, mode: 0o600, text: 'fresh' },
      ],
      owned: [old, kept],
      effects: [
        { kind: 'reload', unit: 'systemd-networkd.service' },
        { kind: 'reload', unit: 'a.service' },
        { kind: 'restart', unit: 'b.service' },
        { kind: 'restart', unit: 'plinthd.service' },
      ],
    });
    assert.deepEqual((await readdir(folder)).sort(), ['fresh', 'kept']);
    assert.equal((await stat(kept)).ino, ino);
    assert.equal(restartOwn, true);
    assert.deepEqual(commands, [
      '/usr/bin/networkctl reload',
      '/usr/bin/systemctl try-reload-or-restart a.service',
      '/usr/bin/systemctl try-restart b.service',
    ]);
  }));
