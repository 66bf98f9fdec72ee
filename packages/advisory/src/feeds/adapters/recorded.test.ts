import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFeedDocuments } from '../read-feed-documents.ts';
import { adapters } from './index.ts';

/** Documents that the feeds really gave out; what was cut and where each is from is in the folder's README. */
const FOLDER = join(import.meta.dirname, '__fixtures__', 'recorded');

async function read(name: string) {
  const { documents, writtenAt } = await readFeedDocuments(join(FOLDER, name));
  const adapter = adapters.find(({ recognises }) => recognises(documents[0]));
  assert.ok(adapter, `no adapter takes ${name}`);
  return { name: adapter.name, ...adapter.read(documents, writtenAt) };
}

test('the tracker, recorded: releases, "0" that says never, end of life', async () => {
  const { name, claims, details } = await read('debian-tracker.json');
  assert.equal(name, 'debian-tracker');
  assert.deepEqual(
    claims.map(({ id, release, stance, ranges }) => [id, release, stance, ranges[0]?.fixed]),
    [
      ['CVE-2008-7220', 'buster', 'resolved', '1.6.0.2-1'],
      ['CVE-2008-7220', 'sid', 'resolved', '1.6.0.2-1'],
      ['CVE-2007-2383', 'buster', 'never-affected', undefined],
      ['CVE-2007-2383', 'sid', 'never-affected', undefined],
      ['CVE-2022-0456', 'bookworm', 'resolved', '98.0.4758.80-1'],
      ['CVE-2022-0456', 'bullseye', 'resolved', '98.0.4758.80-1~deb11u1'],
      ['CVE-2022-0456', 'buster', 'end-of-life', undefined],
    ],
  );
  assert.deepEqual(details[0]?.severities, [{ source: 'debian-tracker', level: 'high' }]);
});

test('NVD 2.0, recorded with the fields that came later: severity by its own CVSS', async () => {
  const { name, date, details } = await read('nvd-2.0.json');
  assert.deepEqual([name, date], ['nvd', '2026-09-21T18:15:01.699Z']);
  const [{ id, disclosedAt, severities } = assert.fail()] = details;
  assert.deepEqual([id, disclosedAt], ['CVE-2024-3400', '2024-04-12T08:15:06.230Z']);
  assert.deepEqual(severities, [
    { source: 'nvd', level: 'critical', score: 10, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' },
  ]);
});

test('KEV and EPSS, recorded', async () => {
  const kev = await read('kev.json');
  assert.deepEqual([kev.name, kev.date], ['kev', '2025-02-25T20:33:53.367Z']);
  assert.deepEqual(kev.details[0]?.knownExploited, {
    addedAt: '2025-02-25T00:00:00.000Z',
    dueAt: '2025-03-18T00:00:00.000Z',
    ransomware: false,
  });
  const epss = await read('epss.csv');
  assert.deepEqual([epss.name, epss.date], ['epss', '2025-02-20T00:00:00.000Z']);
  assert.deepEqual(
    epss.details.map(({ prediction }) => prediction?.probability),
    [0.00383, 0.01328, 0.04409],
  );
});

test('records of the kernel authority, recorded: with the files of a fix (5.2), and from before it told them (5.0)', async () => {
  const newer = await read('cve-record-5.2.json');
  assert.equal(newer.name, 'kernel-cna');
  assert.deepEqual(newer.details[0]?.programFiles, ['drivers/net/macvlan.c']);
  const older = await read('cve-record-5.0.json');
  assert.equal(
    older.details[0]?.title,
    'ext4: regenerate buddy after block freeing failed if under fc replay',
  );
  assert.equal(older.details[0]?.programFiles, undefined);
});

test('OSV of npm and Go, recorded: names, ranges, functions', async () => {
  const npm = await read('osv-npm.json');
  assert.deepEqual([npm.name, npm.claims[0]?.package], ['osv-npm', 'cookie']);
  assert.deepEqual(npm.claims[0]?.ranges, [{ introduced: '0', fixed: '0.7.0' }]);
  const go = await read('osv-go.json');
  assert.deepEqual(go.claims[0]?.aliases, ['CVE-2021-38561', 'GHSA-ppp9-7jff-5vj2']);
  assert.equal(go.details[0]?.disclosedAt, '2021-10-06T17:51:21.000Z');
});

test("OSV of Go as its source has it: a date of the year 1 is Go's word for none, and no clock starts there", async () => {
  // The newest date of any kind is how old such a copy may be; its files were written when they were copied.
  assert.equal((await read('osv-go.json')).date, '2021-10-06T17:51:21.000Z');
  await assert.rejects(read('osv-go-zero-dates.json'), { code: 'advisory/feed-invalid' });
  const osvGo = adapters.find(({ name }) => name === 'osv-go') ?? assert.fail();
  const records = await Promise.all(
    ['osv-go.json', 'osv-go-zero-dates.json'].map(async (name) =>
      JSON.parse(await readFile(join(FOLDER, name), 'utf8')),
    ),
  );
  const { details, claims } = osvGo.read(records, '2026-11-23T00:00:00.000Z');
  assert.deepEqual(
    details.map(({ id, disclosedAt }) => [id, disclosedAt]),
    [
      ['GO-2021-0113', '2021-10-06T17:51:21.000Z'],
      ['GO-2024-2687', undefined],
    ],
  );
  assert.deepEqual(
    claims.map(({ package: of, at }) => [of, at]),
    [
      ['golang.org/x/text', '2021-10-06T17:51:21.000Z'],
      ['stdlib', undefined],
      ['golang.org/x/net', undefined],
    ],
  );
});

test('every recorded document is read by a test', async () => {
  const source = await readFile(import.meta.filename, 'utf8');
  for (const name of (await readdir(FOLDER)).filter((each) => each !== 'README.md'))
    assert.ok(source.includes(`'${name}'`), name);
});
