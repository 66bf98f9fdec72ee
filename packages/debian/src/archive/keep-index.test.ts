import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf, scratchFolder } from '@plinth/host/testing';
import { makeArchiveKey, packageParagraph, serveFiles, suiteFiles } from '../testing/fake-archive.ts';
import { fetchIndexes } from './fetch-indexes.ts';
import { keepIndex, readKeptIndex } from './keep-index.ts';

test('an index is kept with its packages, and read years later only as it was signed', async (context) => {
  const key = await makeArchiveKey();
  const valid = { 'Valid-Until': 'Mon, 21 Sep 2026 00:00:00 UTC' };
  const base = await serveFiles(
    context,
    await suiteFiles(packageParagraph('alpha', '1.0'), key.privateKey, valid),
  );
  const [cacheRoot, folder] = [await scratchFolder('cache'), await scratchFolder('kept')];
  const keyring = [key.publicKey];
  const [index] = await fetchIndexes(['trixie'], {
    mirrors: { debian: base, security: base },
    ...{ keyring, cacheRoot, now: new Date('2026-09-20T00:00:00Z') },
  });
  assert.ok(index);
  const name = { suite: 'trixie', sha256: index.inReleaseSha256, date: index.date.toISOString() };
  assert.equal(await keepIndex({ ...name, sha256: 'a'.repeat(64) }, folder, { cacheRoot, keyring }), false);
  assert.deepEqual(await readdir(folder), []);
  assert.equal(await keepIndex(name, folder, { cacheRoot, keyring }), true);
  assert.equal((await readdir(folder)).length, 2);
  // Nothing else is needed from now on.
  assert.equal(await keepIndex(name, folder, { cacheRoot: join(folder, 'none'), keyring }), true);
  assert.deepEqual(await readKeptIndex(name, folder, keyring), index);

  const strangers = [(await makeArchiveKey()).publicKey];
  assert.equal(await codeOf(readKeptIndex(name, folder, strangers)), 'debian/index-untrusted');
  const later = { ...name, date: '2026-09-13T00:00:00.000Z' };
  assert.equal(await codeOf(readKeptIndex(later, folder, keyring)), 'debian/index-invalid');
  assert.equal(
    await codeOf(readKeptIndex({ ...name, suite: 'forky' }, folder, keyring)),
    'debian/index-invalid',
  );
  const path = join(folder, `${name.sha256}.InRelease`);
  await writeFile(path, (await readFile(path, 'utf8')).replace('2026', '2025'));
  assert.equal(await codeOf(readKeptIndex(name, folder, keyring)), 'debian/index-invalid');
  assert.equal(await readKeptIndex({ ...name, sha256: 'b'.repeat(64) }, folder, keyring), undefined);
});
