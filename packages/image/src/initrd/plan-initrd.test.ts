import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import type { InitrdSpec } from '../spec/os-spec.ts';
import { planInitrd, type TreeView } from './plan-initrd.ts';

const KERNEL = '6.12.0';
const MODULES = `/usr/lib/modules/${KERNEL}`;
const LIB = '/usr/lib/x86_64-linux-gnu';

/** A tree in memory: a path is a folder, a link ("-> target"), or a file with the libraries it needs. */
function fakeTree(
  files: Readonly<Record<string, string | readonly string[]>>,
  texts: Readonly<Record<string, string>> = {},
): TreeView {
  const all: Readonly<Record<string, string | readonly string[]>> = {
    '/usr/lib64/ld-linux-x86-64.so.2': [],
    [`${MODULES}/modules.dep`]: [],
    [`${MODULES}/modules.builtin`]: [],
    ...files,
  };
  const entry = (path: string) => all[path];
  return {
    kind: (path) => {
      const found = entry(path);
      return found === undefined ? undefined : typeof found === 'string' ? 'symlink' : 'file';
    },
    linkTarget: (path) => String(entry(path)),
    list: (folder) =>
      [
        ...new Set(
          Object.keys(all).flatMap((path) =>
            path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1).split('/')[0] ?? ''] : [],
          ),
        ),
      ].sort(),
    neededLibraries: (path) => {
      const found = entry(path);
      return found === undefined || typeof found === 'string' ? [] : found;
    },
    text: (path) => texts[path] ?? '',
  };
}

const nothing: InitrdSpec = { programs: [], dlopen: [], units: [], udevRules: [], files: [], modules: [] };

test('planInitrd follows libraries of libraries and both ends of a link', () => {
  const tree = fakeTree({
    '/usr/bin/tool': ['liba.so.1'],
    '/usr/sbin/alias': '/usr/bin/tool',
    [`${LIB}/liba.so.1`]: `${LIB}/liba.so.1.2`,
    [`${LIB}/liba.so.1.2`]: ['libb.so'],
    '/usr/lib/systemd/libb.so': [],
  });
  assert.deepEqual(
    planInitrd({ ...nothing, programs: ['/usr/sbin/alias'] }, tree, KERNEL),
    [
      '/usr/bin/tool',
      '/usr/lib/systemd/libb.so',
      `${LIB}/liba.so.1`,
      `${LIB}/liba.so.1.2`,
      '/usr/lib64/ld-linux-x86-64.so.2',
      '/usr/sbin/alias',
    ].sort(),
  );
});

test('planInitrd takes modules with those they need and leaves built-in ones', () => {
  const dm = `${MODULES}/kernel/dm-mod.ko.xz`;
  const verity = `${MODULES}/kernel/dm-verity.ko.xz`;
  const tree = fakeTree(
    { [dm]: [], [verity]: [] },
    {
      [`${MODULES}/modules.dep`]: 'kernel/dm-verity.ko.xz: kernel/dm-mod.ko.xz\nkernel/dm-mod.ko.xz:\n',
      [`${MODULES}/modules.builtin`]: 'kernel/drivers/nvme/nvme.ko\n',
    },
  );
  const paths = planInitrd({ ...nothing, modules: ['dm_verity', 'nvme'] }, tree, KERNEL);
  assert.ok(paths.includes(dm) && paths.includes(verity));
  assert.throws(() => planInitrd({ ...nothing, modules: ['no_such'] }, tree, KERNEL), /no module no_such/);
});

test('planInitrd keeps links between carried units only', () => {
  const units = '/usr/lib/systemd/system';
  const tree = fakeTree({
    [`${units}/a.target`]: [],
    [`${units}/b.service`]: [],
    [`${units}/a.target.wants/b.service`]: `${units}/b.service`,
    [`${units}/a.target.wants/c.service`]: `${units}/c.service`,
  });
  const paths = planInitrd({ ...nothing, units: ['a.target', 'b.service'] }, tree, KERNEL);
  assert.ok(paths.includes(`${units}/a.target.wants/b.service`));
  assert.ok(!paths.includes(`${units}/a.target.wants/c.service`));
});

test('planInitrd names everything that is missing at once', () => {
  const spec = { ...nothing, programs: ['/usr/bin/gone'], dlopen: ['libgone.so'], units: ['gone.target'] };
  assert.throws(
    () => planInitrd(spec, fakeTree({}), KERNEL),
    (error: unknown) =>
      error instanceof PlinthError &&
      error.code === 'image/initrd-incomplete' &&
      ['/usr/bin/gone', 'libgone.so', 'gone.target'].every((name) => error.message.includes(name)),
  );
});
