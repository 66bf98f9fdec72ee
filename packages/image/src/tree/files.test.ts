import assert from 'node:assert/strict';
import { chmod, link, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { loadOsSpec } from '../spec/os-spec.ts';
import { applyTree, replaceFile } from './apply-tree.ts';
import { renderPreset } from './configure-tree.ts';
import { renderOsRelease } from './os-release.ts';
import { scanPackage } from './scan-package.ts';
import { withoutShells } from './user-tables.ts';

const OS_DIR = join(import.meta.dirname, '../../../../os');
const scratch = () => scratchFolder('tree');

test('renderOsRelease has the fields that systemd, the kubelet and scanners read', async () => {
  const { os } = await loadOsSpec(OS_DIR);
  const text = renderOsRelease(os);
  for (const key of [
    'ID',
    'VERSION_ID',
    'IMAGE_ID',
    'IMAGE_VERSION',
    'PRETTY_NAME',
    'SYSEXT_LEVEL',
    'CONFEXT_LEVEL',
    'SUPPORT_END',
    'CPE_NAME',
  ]) {
    assert.match(text, new RegExp(`^${key}=.+$`, 'm'), key);
  }
  assert.match(text, /^PRETTY_NAME="Plinth [0-9.]+"$/m);
  assert.doesNotMatch(text, /PLINTH_START_SETUP/);
  assert.match(renderOsRelease(os, '0123456789abcdef'), /^PLINTH_START_SETUP=0123456789abcdef$/m);
});

test('withoutShells leaves no account a shell', () => {
  const table = withoutShells('root:*:0:0:root:/root:/bin/bash\nsync:*:4:65534:sync:/bin:/bin/sync\n');
  assert.equal(
    table,
    'root:*:0:0:root:/root:/usr/sbin/nologin\nsync:*:4:65534:sync:/bin:/usr/sbin/nologin\n',
  );
});

test('renderPreset enables what is listed and nothing else', async () => {
  const { os } = await loadOsSpec(OS_DIR);
  const lines = renderPreset(os).trim().split('\n');
  assert.equal(lines.at(-1), 'disable *');
  assert.ok(lines.includes('enable plinthd.service'));
});

test('replaceFile never writes into a file that is linked elsewhere', async () => {
  const dir = await scratch();
  await writeFile(join(dir, 'package'), 'original');
  await link(join(dir, 'package'), join(dir, 'tree'));
  await replaceFile(join(dir, 'tree'), 'changed', 0o600);
  assert.equal(await readFile(join(dir, 'package'), 'utf8'), 'original');
  assert.equal(await readFile(join(dir, 'tree'), 'utf8'), 'changed');
  assert.equal((await stat(join(dir, 'tree'))).mode & 0o777, 0o600);
});

test('applyTree takes the setuid bit off and leaves the package as it was', async () => {
  const from = await scratch();
  const to = await scratch();
  await writeFile(join(from, 'mount'), 'ELF');
  await chmod(join(from, 'mount'), 0o4755);
  const entries = (await scanPackage(from)).map((entry) => ({ ...entry, owner: 'mount' }));
  await applyTree({ entries, removed: [], unusedRules: [] }, to);
  assert.equal((await stat(join(to, 'mount'))).mode & 0o7777, 0o755);
  assert.equal((await stat(join(from, 'mount'))).mode & 0o7777, 0o4755);
});

test('scanPackage maps the aliases of the merged root and sees scripts', async () => {
  const dir = await scratch();
  await mkdir(join(dir, 'bin'));
  await writeFile(join(dir, 'bin/x'), '#!/bin/sh\n');
  const entries = await scanPackage(dir);
  assert.deepEqual(
    entries.filter((entry) => entry.kind === 'file').map(({ path, script }) => [path, script]),
    [['/usr/bin/x', true]],
  );
});

test('the next root of a soft-reboot is opened as the first one is: with the signature, and the options of os/plinth.yaml', async () => {
  const { os } = await loadOsSpec(OS_DIR);
  const unit = await readFile(join(OS_DIR, 'units/plinth-nextroot.service'), 'utf8');
  const [, options = ''] = /veritysetup attach nextroot \S+ \S+ \S+ (\S+)$/m.exec(unit) ?? [];
  assert.deepEqual(options.split(','), [
    'root-hash-signature=/run/plinth/nextroot/root.p7s',
    ...os.verityOptions,
  ]);
  assert.match(unit, /^AssertSecurity=uefi-secureboot$/m);
});
