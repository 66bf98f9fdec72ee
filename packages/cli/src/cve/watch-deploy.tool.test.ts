import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { openToolbox } from '@plinth/toolbox';

// The units of the watch before systemd itself.

const deploy = new URL('../../../advisory/deploy/', import.meta.url);
const NAMES = ['plinth-cve-watch.service', 'plinth-cve-watch.timer'] as const;
const DROP_IN = 'plinth-cve-follow.conf';
const toolbox = await openToolbox();
/** Where the units expect the command. systemd asks whether what a unit starts is there. */
const INSTALLED = [
  { host: join(import.meta.dirname, '../../../../plinth'), inside: '/opt/plinth/plinth', readOnly: true },
];

test('systemd knows every line of the units, and says so of a wrong one', { timeout: 120_000 }, async () => {
  const dir = join(await scratchFolder('units'), 'units');
  await mkdir(dir);
  const dropIns = join(dir, 'plinth-cve-watch.service.d');
  const verify = async (more: string, isFollowing = false) => {
    await rm(dropIns, { recursive: true, force: true });
    if (isFollowing) {
      await mkdir(dropIns);
      await copyFile(new URL(DROP_IN, deploy), join(dropIns, 'follow.conf'));
      await writeFile(join(dropIns, 'more.conf'), more);
    }
    for (const name of NAMES) {
      const text = await readFile(new URL(name, deploy), 'utf8');
      await writeFile(join(dir, name), name.endsWith('.service') && !isFollowing ? text + more : text);
    }
    const paths = NAMES.map((name) => `/mnt/work/${name}`).join(' ');
    const { stdout, stderr } = await toolbox.run(
      'sh',
      ['-c', `systemd-analyze verify --man=no --generators=no ${paths} 2>&1; true`],
      { binds: [{ host: dir, inside: '/mnt/work' }, ...INSTALLED] },
    );
    return `${stdout}${stderr}`;
  };
  assert.doesNotMatch(await verify(''), /plinth-cve-watch/);
  assert.match(await verify('ProtectEverything=yes\n'), /plinth-cve-watch.*ProtectEverything/);
  assert.doesNotMatch(await verify('', true), /plinth-cve-watch/);
  assert.match(await verify('[Service]\nFollowEverything=yes\n', true), /FollowEverything/);
});

test('the times are those that are meant', { timeout: 60_000 }, async () => {
  const timer = await readFile(new URL('plinth-cve-watch.timer', deploy), 'utf8');
  const times = [...timer.matchAll(/^OnCalendar=(.*)$/gm)].map(([, when = '']) => when);
  const { stdout } = await toolbox.run('systemd-analyze', ['calendar', ...times]);
  const meant = [...String(stdout).matchAll(/Normalized form: (.*)$/gm)].map(([, form]) => form);
  // systemd leaves out the form where it is what was written.
  assert.deepEqual(meant.length > 0 ? meant : times, ['*-*-* 06:00:00 UTC', '*-*-* 18:00:00 UTC']);
});
