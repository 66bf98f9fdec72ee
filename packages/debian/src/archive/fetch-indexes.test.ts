import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { run } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import {
  type Fields,
  makeArchiveKey,
  packageParagraph,
  serveFiles,
  suiteFiles,
} from '../testing/fake-archive.ts';
import { makeDeb } from '../testing/make-deb.ts';
import { decompressXz } from './decompress-xz.ts';
import { fetchIndexes } from './fetch-indexes.ts';
import { readKeyring } from './keyring.ts';

const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const key = await makeArchiveKey();
const PACKAGES = [
  packageParagraph('alpha', '1.0'),
  packageParagraph('beta', '2:2.0', { Source: 'bet (1.9)' }),
].join('\n');

/** Fetches the suite trixie from an archive with these release fields, after `change` had its way with the files. */
async function fetchFrom(
  context: TestContext,
  release: Fields = {},
  change: (files: Map<string, Buffer>) => void = () => {},
) {
  const files = await suiteFiles(PACKAGES, key.privateKey, release);
  change(files);
  const base = await serveFiles(context, files);
  return fetchIndexes(['trixie'], {
    mirrors: { debian: base, security: base },
    keyring: [key.publicKey],
    now: new Date('2026-09-20T00:00:00Z'),
    cacheRoot: await scratchFolder('indexes'),
  });
}

test('fetchIndexes returns the packages of a well signed suite', async (context) => {
  const [index] = await fetchFrom(context, {
    'Valid-Until': 'Mon, 21 Sep 2026 00:00:00 UTC',
    NotAutomatic: 'yes',
  });
  assert.ok(index);
  assert.equal(index.date.toISOString(), '2026-09-12T07:55:41.000Z');
  assert.equal(index.validUntil?.toISOString(), '2026-09-21T00:00:00.000Z');
  assert.equal(index.notAutomatic, true);
  assert.deepEqual(
    index.packages.map(({ name, version, source, sourceVersion }) => [name, version, source, sourceVersion]),
    [
      ['alpha', '1.0', 'alpha', '1.0'],
      ['beta', '2:2.0', 'bet', '1.9'],
    ],
  );
});

test('fetchIndexes refuses an index that was changed after signing', async (context) => {
  const tampered = fetchFrom(context, {}, (files) => {
    for (const [path, content] of files) {
      if (path.endsWith('InRelease'))
        files.set(path, Buffer.from(content.toString().replace('2026', '2025')));
    }
  });
  await assert.rejects(tampered, withCode('debian/index-untrusted'));
});

test('fetchIndexes refuses an index signed by a foreign key, or by nobody', async (context) => {
  const foreign = await makeArchiveKey();
  const other = await suiteFiles(PACKAGES, foreign.privateKey);
  const replace = (files: Map<string, Buffer>) => {
    for (const [path, content] of other) files.set(path, content);
  };
  await assert.rejects(fetchFrom(context, {}, replace), withCode('debian/index-untrusted'));
  const unsigned = (files: Map<string, Buffer>) =>
    files.set('/dists/trixie/InRelease', Buffer.from('Codename: trixie\n'));
  await assert.rejects(fetchFrom(context, {}, unsigned), withCode('debian/index-untrusted'));
});

test('fetchIndexes refuses an expired index, one from the future and one for another release', async (context) => {
  const expired = fetchFrom(context, { 'Valid-Until': 'Sat, 19 Sep 2026 00:00:00 UTC' });
  await assert.rejects(expired, withCode('debian/index-expired'));
  const early = fetchFrom(context, { Date: 'Wed, 23 Sep 2026 00:00:00 UTC' });
  await assert.rejects(early, withCode('debian/index-invalid'));
  const bookworm = fetchFrom(context, { Codename: 'bookworm' }, (files) => {
    files.set('/dists/trixie/InRelease', files.get('/dists/bookworm/InRelease') ?? Buffer.alloc(0));
  });
  await assert.rejects(bookworm, withCode('debian/index-invalid'));
});

test('fetchIndexes refuses packages that are not those of the signed index, and a mirror without the suite', async (context) => {
  const swapped = fetchFrom(context, {}, (files) => {
    for (const path of files.keys())
      if (path.includes('by-hash')) files.set(path, Buffer.from('something else'));
  });
  await assert.rejects(swapped, withCode('host/digest-mismatch'));
  await assert.rejects(
    fetchFrom(context, {}, (files) => files.clear()),
    withCode('debian/index-invalid'),
  );
});

test('readKeyring holds exactly the archive keys of trixie that os/trust documents', async () => {
  const documented = await readFile(new URL('../../../../os/trust/README.md', import.meta.url), 'utf8');
  const fingerprints = (await readKeyring()).map((one) => one.getFingerprint().toUpperCase());
  const listed = [...documented.matchAll(/`((?:[0-9A-F]{4} +){9}[0-9A-F]{4})`/g)].map(([, text]) =>
    text?.replaceAll(' ', ''),
  );
  assert.equal(fingerprints.length, 3);
  assert.deepEqual(fingerprints.sort(), listed.sort());
});

test('decompressXz gives what dpkg-deb itself reads, and refuses damage', async () => {
  const { path } = await makeDeb('content', { 'usr/share/text': 'some text\n'.repeat(5000) });
  const deb = await readFile(path);
  const header = deb.indexOf('data.tar.xz');
  const member = deb.subarray(
    header + 60,
    header + 60 + Number(deb.toString('latin1', header + 48, header + 58)),
  );
  const xz = join(await scratchFolder('xz'), 'data.xz');
  await writeFile(xz, member);
  const expected = (await run('dpkg-deb', ['--fsys-tarfile', path])).stdout;
  assert.deepEqual(await decompressXz(xz, expected.length), expected);
  await writeFile(xz, member.subarray(0, member.length - 40));
  await assert.rejects(decompressXz(xz, expected.length), withCode('debian/index-invalid'));
});
