import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PlinthError } from '@plinth/base';
import { run } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import { changelogText } from '../testing/knowledge.testing.ts';
import type { PoolFile, SourceOffer } from './feed-content.ts';
import { fetchChangelog, type PoolFetch } from './fetch-changelog.ts';

const TEXT = changelogText('curl', [['8-2', 'trixie-security', 'CVE-2026-92392']]);

/** A real package with these files, made by dpkg-deb. */
async function debWith(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = await scratchFolder('deb');
  const control = 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: T <t@localhost>\nDescription: t\n';
  for (const [path, bytes] of Object.entries({ 'DEBIAN/control': Buffer.from(control), ...files })) {
    await mkdir(dirname(join(folder, 'tree', path)), { recursive: true });
    await writeFile(join(folder, 'tree', path), bytes);
  }
  await run('dpkg-deb', ['--root-owner-group', '--build', join(folder, 'tree'), join(folder, 'p.deb')]);
  return join(folder, 'p.deb');
}

function offer(...names: readonly string[]): SourceOffer {
  const changelogIn = names.map(
    (name): PoolFile => ({
      name,
      version: '8-2',
      archive: 'debian',
      path: `pool/${name}.deb`,
      sizeBytes: 1,
      sha256: 'a'.repeat(64),
    }),
  );
  return { source: 'curl', version: '8-2', binaries: [...names], changelogIn };
}

/** A pool with these packages; every other one is a hole. */
function pool(paths: Readonly<Record<string, string>>): PoolFetch {
  return async ({ name }) => {
    const path = paths[name];
    if (path !== undefined) return path;
    throw new PlinthError('debian/package-gone', `Cannot fetch ${name}`);
  };
}

test('the changelog is taken from the first package that has it, past holes and links to the papers of others', async () => {
  const good = await debWith({ 'usr/share/doc/curl/changelog.Debian.gz': gzipSync(TEXT) });
  const bare = await debWith({ 'usr/share/doc/libcurl/copyright': Buffer.from('x') });
  const found = await fetchChangelog(offer('gone', 'libcurl', 'curl'), pool({ libcurl: bare, curl: good }));
  assert.equal(found.state, 'read');
  assert.deepEqual(
    found.entries[0]?.claims.map(({ id, role }) => [id, role]),
    [['CVE-2026-92392', 'fixes']],
  );
});

test('a pool full of holes is told by name', async () => {
  const found = await fetchChangelog(offer('curl', 'libcurl'), pool({}));
  assert.equal(found.state, 'missing');
  assert.match(found.detail, /the pool has no curl 8-2 although the index lists it; .*libcurl/);
});

test('the changelog of another source, or of another version, is not believed', async () => {
  const other = await debWith({
    'usr/share/doc/curl/changelog.Debian.gz': gzipSync(TEXT.replace('curl (', 'wget (')),
  });
  assert.match((await fetchChangelog(offer('curl'), pool({ curl: other }))).detail, /it is of source wget/);
  const old = await debWith({
    'usr/share/doc/curl/changelog.Debian.gz': gzipSync(TEXT.replace('8-2', '8-1')),
  });
  assert.match(
    (await fetchChangelog(offer('curl'), pool({ curl: old }))).detail,
    /its top entry is 8-1, expected 8-2/,
  );
});

test('a bomb, and what is no gzip, make it unreadable; nothing is thrown', async () => {
  const bomb = await debWith({
    'usr/share/doc/curl/changelog.Debian.gz': gzipSync(Buffer.alloc(80 * 1024 * 1024)),
  });
  assert.equal((await fetchChangelog(offer('curl'), pool({ curl: bomb }))).state, 'unreadable');
  const noise = await debWith({ 'usr/share/doc/curl/changelog.Debian.gz': Buffer.from('noise') });
  assert.equal((await fetchChangelog(offer('curl'), pool({ curl: noise }))).state, 'unreadable');
});

test('an interruption is no hole', async () => {
  const stop: PoolFetch = async () => {
    throw new PlinthError('cli/interrupted', 'Cannot finish: interrupted');
  };
  await assert.rejects(fetchChangelog(offer('curl'), stop), { code: 'cli/interrupted' });
});
