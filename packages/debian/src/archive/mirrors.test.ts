import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import { findMirrors } from './mirrors.ts';

async function aptDir(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await scratchFolder('apt');
  await mkdir(join(dir, 'sources.list.d'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

const noMirror = (error: unknown) => error instanceof PlinthError && error.code === 'debian/no-mirror';

test('findMirrors reads deb822 sources and passes over foreign, disabled and source-only ones', async () => {
  const dir = await aptDir({
    'sources.list.d/a.sources': [
      'Types: deb\nURIs: http://foreign.test/apt\nSuites: nodistro\nComponents: main',
      'Types: deb\nURIs: http://off.test/debian\nSuites: trixie\nComponents: main\nEnabled: no',
      'Types: deb-src\nURIs: http://source.test/debian\nSuites: trixie\nComponents: main',
      '# the real ones\nTypes: deb deb-src\nURIs: http://mirror.test/debian/\nSuites: trixie\n trixie-updates\nComponents: main',
      'Types: deb\nURIs: http://mirror.test/security\nSuites: trixie-security\nComponents: main contrib',
    ].join('\n\n'),
    'sources.list.d/ignored.sources.bak':
      'Types: deb\nURIs: http://bak.test\nSuites: trixie\nComponents: main',
  });
  assert.deepEqual(await findMirrors({ aptDir: dir, env: {} }), {
    debian: 'http://mirror.test/debian',
    security: 'http://mirror.test/security',
  });
});

test('findMirrors reads one-line sources of an older Debian', async () => {
  const dir = await aptDir({
    'sources.list': [
      '# deb http://commented.test/debian bookworm main',
      'deb cdrom:[Debian]/ bookworm main',
      'deb http://mirror.test/backports bookworm-backports main',
      'deb [signed-by=/usr/share/keyrings/x.gpg arch=amd64] http://mirror.test/debian bookworm main contrib # comment',
      'deb http://mirror.test/debian-security bookworm-security main',
      'deb http://foreign.test/apt cloud-sdk-bookworm main',
    ].join('\n'),
  });
  assert.deepEqual(await findMirrors({ aptDir: dir, env: {} }), {
    debian: 'http://mirror.test/debian',
    security: 'http://mirror.test/debian-security',
  });
});

test('findMirrors prefers options to environment to apt settings', async () => {
  const dir = await aptDir({ 'sources.list': 'deb http://apt.test/debian trixie main\n' });
  const env = {
    PLINTH_MIRROR: 'http://env.test/debian',
    PLINTH_SECURITY_MIRROR: 'https://env.test/security/',
  };
  assert.deepEqual(await findMirrors({ aptDir: dir, env, flags: { mirror: 'http://flag.test/' } }), {
    debian: 'http://flag.test',
    security: 'https://env.test/security',
  });
});

test('findMirrors says which mirror is missing and how to name it', async () => {
  const dir = await aptDir({ 'sources.list': 'deb http://apt.test/debian trixie main\n' });
  await assert.rejects(
    findMirrors({ aptDir: dir, env: {} }),
    (error) => noMirror(error) && error instanceof PlinthError && error.hint.includes('--security-mirror'),
  );
  await assert.rejects(findMirrors({ aptDir: join(dir, 'none'), env: {} }), noMirror);
  await assert.rejects(findMirrors({ aptDir: dir, env: { PLINTH_MIRROR: 'ftp://old.test/' } }), noMirror);
});
