import assert from 'node:assert/strict';
import {
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { initKeys, loadPublicKeys } from '@plinth/trust';
import type { AdvisoryRecord } from '../../model/index.ts';
import { initAdvisoryKey } from '../keys/advisory-key.ts';
import { validateCsaf } from '../testing/oracles.ts';
import { jqRecord, nssRecord, opensslRecord, sampleRecords, zlibRecord } from '../testing/sample-records.ts';
import { type PublishAdvisoriesOptions, publishAdvisories } from './publish-tree.ts';
import { verifyTree } from './verify-tree.ts';
import { removeOldTrees } from './write-tree.ts';

const scratch = await scratchFolder('advisories');
const keysDir = join(scratch, 'keys');
await initKeys(keysDir);
await initAdvisoryKey(keysDir, undefined);
const trusted = (await loadPublicKeys(keysDir)).certificates('release');
const now = new Date('2026-11-22T06:00:00Z');
let treeDir = '';
let count = 0;
beforeEach(() => {
  treeDir = join(scratch, `place-${count++}`, 'web');
});

function publish(records: readonly AdvisoryRecord[], more: Partial<PublishAdvisoriesOptions> = {}) {
  const publisher = { url: 'https://cve.example/' };
  return publishAdvisories({ treeDir, keysDir, records, publisher, validMs: 86_400_000, now, ...more });
}

const verify = (dir = treeDir) => verifyTree(dir, { trusted, now });
const white = '.well-known/csaf/white';

test('a tree is published, and every link of it passes', async () => {
  const published = await publish(sampleRecords);
  assert.deepEqual(
    published.added,
    sampleRecords.map(({ id }) => id),
  );
  const report = await verify();
  assert.deepEqual(
    report.checks.filter(({ verdict }) => verdict !== 'pass'),
    [],
  );
  assert.equal(report.verdict, 'pass');
  const lines = (await readFile(join(treeDir, white, 'index.txt'), 'utf8')).trim().split('\n');
  assert.equal(lines.length, sampleRecords.length * 2);
  for (const line of lines) {
    const problems = await validateCsaf(await readFile(join(treeDir, white, line), 'utf8'));
    assert.deepEqual(
      problems.filter(({ test: id }) => id !== 'optionalTest_6_2_3'),
      [],
      line,
    );
  }
});

test('only what changed is written and signed', async () => {
  await publish([opensslRecord, zlibRecord]);
  const document = join(treeDir, white, '2026/plsa-2026-0001.json');
  const before = await stat(document);
  const more = await publish([jqRecord], { publisher: {} });
  assert.deepEqual([more.records, more.added, more.changed, more.signed], [3, [jqRecord.id], [], 2]);
  assert.ok(more.kept > more.written / 2);
  assert.equal((await stat(document)).ino, before.ino);
  assert.equal((await verify()).verdict, 'pass');
  const same = await publish([], { publisher: {} });
  // The manifest and its signature: that nothing else is known is a statement too.
  assert.deepEqual([same.written, same.signed, same.manifest.sequence], [2, 0, 3]);
});

test('what is published changes by a revision more, and goes away never', async () => {
  await publish([opensslRecord]);
  const refused = { code: 'advisory/record-conflict' };
  await assert.rejects(publish([{ ...opensslRecord, title: 'other' }]), refused);
  await assert.rejects(publish([zlibRecord, zlibRecord]), refused);
  await assert.rejects(publish([{ ...zlibRecord, state: 'draft' }]), { code: 'advisory/not-public' });
  const misnamed = { ...zlibRecord, weaknesses: [{ id: 'CWE-835', name: 'Endless loop' }] };
  await assert.rejects(publish([misnamed]), { code: 'advisory/record-invalid', message: /Infinite Loop/ });
  const date = '2026-11-23T06:00:00Z';
  const next = {
    ...opensslRecord,
    title: 'other',
    modifiedAt: date,
    revisions: [...opensslRecord.revisions, { number: 3, date, summary: 'Another title.' }],
  };
  const [first] = next.revisions;
  assert.ok(first);
  const rewritten = { ...next, revisions: [{ ...first, summary: 'x' }, ...next.revisions.slice(1)] };
  await assert.rejects(publish([rewritten]), refused);
  await assert.rejects(publish([{ ...next, statuses: next.statuses.slice(0, 1) }]), refused);
  const vulnerability = { ...next.vulnerability, id: 'CVE-2026-9999' };
  await assert.rejects(publish([{ ...next, vulnerability }]), refused);
  assert.deepEqual((await publish([next])).changed, [opensslRecord.id]);
  await assert.rejects(publish([opensslRecord]), refused);
  assert.equal((await verify()).verdict, 'pass');
});

test('the first broken link is named', async () => {
  await publish([opensslRecord, nssRecord]);
  const copy = join(scratch, `copy-${count}`);
  const broken = async (change: (dir: string) => Promise<unknown>) => {
    await rm(copy, { recursive: true, force: true });
    await cp(treeDir, copy, { recursive: true, dereference: true });
    await change(copy);
    const { verdict, firstBroken } = await verify(copy);
    return `${verdict} ${firstBroken?.subject}: ${firstBroken?.detail}`;
  };
  const path = `${white}/2026/plsa-2026-0001.json`;
  const edit = (name: string, from: string, to: string) => async (dir: string) => {
    const text = await readFile(join(dir, name), 'utf8');
    assert.ok(text.includes(from));
    await writeFile(join(dir, name), text.replace(from, to));
  };
  assert.equal(await broken(async () => undefined), 'pass undefined: undefined');
  assert.match(
    await broken(edit(path, 'known_affected', 'known_not_affected')),
    /^fail files: .*plsa-2026-0001\.json is missing, or not/,
  );
  assert.match(await broken((dir) => rm(join(dir, 'feed.atom'))), /^fail files: feed\.atom/);
  assert.match(
    await broken((dir) => writeFile(join(dir, 'evil.html'), 'x')),
    /^fail files: evil\.html is there and was not published/,
  );
  assert.match(
    await broken((dir) => symlink('/etc/passwd', join(dir, 'advisories/x'))),
    /^fail files: advisories\/x/,
  );
  assert.match(await broken(edit('tree.json', '"sequence": 1', '"sequence": 2')), /^fail signature/);
  assert.match(
    await broken((dir) => rm(join(dir, 'tree.json.p7s'))),
    /^fail signature: tree\.json: it has no signature/,
  );
  const outside = async (dir: string) => {
    await rename(join(dir, 'osv'), join(scratch, `osv-${count}`));
    await symlink(join(scratch, `osv-${count}`), join(dir, 'osv'));
  };
  assert.match(await broken(outside), /^fail files: osv/);
});

test('without trust the signature is unknown, with other keys it fails, and silence is told', async () => {
  await publish([opensslRecord]);
  assert.equal((await verifyTree(treeDir, { now })).verdict, 'unknown');
  const others = join(scratch, 'others');
  await initKeys(others);
  await initAdvisoryKey(others, undefined);
  const strangers = (await loadPublicKeys(others)).certificates('release');
  assert.equal((await verifyTree(treeDir, { trusted: strangers, now })).firstBroken?.subject, 'signature');
  const late = await verifyTree(treeDir, { trusted, now: new Date('2026-11-23T06:00:01Z') });
  assert.equal(late.firstBroken?.subject, 'freshness');
  await assert.rejects(publish([zlibRecord], { keysDir: others }), { code: 'advisory/tree-invalid' });
});

test('a document that is signed and says something else is found out by reading it', async () => {
  await publish([opensslRecord]);
  const report = await verify();
  assert.equal(report.verdict, 'pass');
  // Whoever has the release key could sign a tree whose formats disagree; each is held against the records.
  const { formatChecks } = await import('./check-formats.ts');
  const read = async (path: string) => {
    const text = await readFile(join(treeDir, path), 'utf8');
    return Buffer.from(
      text.replaceAll('3.5.7-1~deb13u3', '3.5.7-1~deb13u4').replaceAll('2026-42772', '2026-42773'),
    );
  };
  const results = await Promise.all(
    formatChecks([opensslRecord], read).map(([subject, work]) =>
      work().then(
        () => `${subject} passes`,
        () => subject,
      ),
    ),
  );
  assert.deepEqual(results, [
    'CSAF',
    'CVRF',
    'OSV',
    'OpenVEX',
    'CycloneDX',
    'index of updates',
    'feed',
    'pages',
  ]);
});

test('an old key stays listed, and what it signed stays believed', async () => {
  await publish([opensslRecord]);
  const rotated = join(scratch, `rotated-${count}`);
  await cp(keysDir, rotated, { recursive: true });
  await rm(join(rotated, 'advisories'), { recursive: true });
  await assert.rejects(publish([], { keysDir: rotated }), { code: 'trust/key-missing' });
  await initAdvisoryKey(rotated, undefined);
  const next = await publish([zlibRecord], { keysDir: rotated });
  assert.equal(next.signed, 2);
  assert.equal((await readdir(join(treeDir, '.well-known/csaf/openpgp'))).length, 2);
  assert.equal((await verify()).verdict, 'pass');
});

test('nothing that is not ours is written over', async () => {
  await mkdir(treeDir, { recursive: true });
  await publish([opensslRecord]);
  assert.equal(await readlink(treeDir), '.web.trees/1');
  await rm(treeDir);
  await mkdir(treeDir);
  await writeFile(join(treeDir, 'mine'), 'x');
  await assert.rejects(publish([opensslRecord]), { code: 'advisory/tree-invalid' });
  const mistyped = join(scratch, `mistyped-${count}`);
  await mkdir(join(mistyped, 'other/files'), { recursive: true });
  await assert.rejects(publish([opensslRecord], { treeDir: join(mistyped, 'other') }), {
    code: 'advisory/tree-invalid',
  });
  assert.deepEqual(await readdir(mistyped), ['other']);
  await rm(treeDir, { recursive: true });
  await mkdir(join(scratch, 'elsewhere'), { recursive: true });
  await symlink(join(scratch, 'elsewhere'), treeDir);
  await assert.rejects(publish([opensslRecord]), { code: 'advisory/tree-invalid' });
  assert.deepEqual(await readdir(join(scratch, 'elsewhere')), []);
});

test('others may read a tree whatever the umask is', async () => {
  const umask = process.umask(0o077);
  try {
    await publish([opensslRecord]);
  } finally {
    process.umask(umask);
  }
  const modes = [];
  for (const path of ['.', '.well-known', 'osv/PLSA-2026-0001.json', 'tree.json', '..'])
    modes.push(((await stat(join(await realpath(treeDir), path))).mode & 0o777).toString(8));
  assert.deepEqual(modes, ['755', '755', '644', '644', '755']);
});

test('old trees go, and the lock of whoever publishes stays', async () => {
  for (let round = 0; round < 3; round++) await publish([opensslRecord]);
  const trees = join(treeDir, '../.web.trees');
  await writeFile(join(trees, '.lock'), 'held');
  await mkdir(join(trees, '7.tmp'));
  await removeOldTrees(treeDir, 3);
  assert.deepEqual((await readdir(trees)).sort(), ['.lock', '2', '3']);
});

test('an address is needed once, and must be https', async () => {
  const unknown = { code: 'advisory/address-unknown' };
  await assert.rejects(publish([opensslRecord], { publisher: {} }), unknown);
  for (const url of [
    'http://cve.example',
    'https://',
    'https://a b',
    'javascript:alert(1)',
    'https://x/"><script>',
  ])
    await assert.rejects(publish([opensslRecord], { publisher: { url } }), unknown, url);
  await publish([opensslRecord]);
  assert.equal((await publish([], { publisher: {} })).publisher.url, 'https://cve.example');
});

test('a file of the tree that rotted is made anew, a record that rotted is not', async () => {
  await publish([opensslRecord]);
  await writeFile(join(treeDir, 'feed.atom'), 'rotten');
  await publish([]);
  assert.equal((await verify()).verdict, 'pass');
  const record = join(treeDir, 'records', `${opensslRecord.id}.json`);
  const text = await readFile(record, 'utf8');
  await copyFile(record, `${record}.saved`);
  await writeFile(record, text.replace('"final"', '"interim"'));
  await assert.rejects(publish([]), { code: 'advisory/tree-invalid' });
});
