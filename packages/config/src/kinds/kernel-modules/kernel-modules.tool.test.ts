import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheDir } from '@plinth/host';
import { openToolbox } from '@plinth/toolbox';
import { allowedModules } from './allowed.ts';

// The list of modules against the kernel package that the image is made of.

const lock = JSON.parse(
  readFileSync(new URL('../../../../../os/plinth.lock.json', import.meta.url), 'utf8'),
) as { packages: { name: string; sha256: string }[] };
const kernel = lock.packages.find(({ name }) => /^linux-image-[0-9]/.test(name));
const folder = join(cacheDir(), 'packages');
const file = `${kernel?.sha256}.deb`;
const skip = existsSync(join(folder, file)) ? false : 'the kernel package is not on this machine';

test('every module that may be loaded is in the kernel of the image', {
  skip,
  timeout: 120_000,
}, async () => {
  const toolbox = await openToolbox();
  const { stdout } = await toolbox.run('dpkg-deb', ['--fsys-tarfile', `/mnt/packages/${file}`], {
    binds: [{ host: folder, inside: '/mnt/packages', readOnly: true }],
  });
  const names = new Set(
    [...stdout.toString('latin1').matchAll(/\/([\w-]+)\.ko(?:\.xz)?\0/g)].map(([, name = '']) =>
      name.replaceAll('-', '_'),
    ),
  );
  assert.ok(names.has('overlay'), 'no list of modules was read');
  for (const [name] of allowedModules) assert.ok(names.has(name), name);
});
