import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { channelFile, channelTarget, deadlinesFile, deadlinesTarget, REPOSITORY } from '@plinth/updates';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { publishRelease } from '../release/publish-release.ts';
import { openOwnRepository } from '../repository/renew-repository.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { followChannel, writeSampleFiles } from '../testing/index.ts';
import { changeRule, promote, setDeadline } from './change-channel.ts';

const scratch = await scratchFolder('channel');
const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repository')];
await mkdir(keysDir);
await initUpdateKeys(keysDir);
const root = await readTrustedRoot(keysDir);
const signing = { repoDir, keysDir };
for (const version of ['1.0.0', '1.1.0~rc1']) {
  const releaseDir = join(scratch, version);
  await writeSampleFiles(releaseDir, { version });
  await publishRelease({ ...signing, channel: 'candidate', releaseDir, about: { notes: `of ${version}` } });
}
const server = await serveRepository({ repoDir });
after(() => server.close());
const see = (channel: string) =>
  followChannel(server.url, join(scratch, `node-${channel}`), root, channel).then((seen) => seen.channel);
const candidate = { ...signing, channel: 'candidate' };

test('what is said of a version reaches nodes with its reason, and can be taken back', async () => {
  const [version, reason] = ['1.0.0', 'loses its network'];
  for (const rule of ['block', 'barrier', 'dead-end'] as const)
    await changeRule(candidate, { rule, version, reason });
  const said = await see('candidate');
  assert.deepEqual([said.blocked, said.barriers, said.deadEnds], Array(3).fill([{ version, reason }]));
  await changeRule(candidate, { rule: 'block', version, reason: 'another reason' });
  assert.deepEqual((await see('candidate')).blocked, [{ version, reason: 'another reason' }]);
  for (const rule of ['block', 'barrier', 'dead-end'] as const)
    await changeRule(candidate, { rule, version });
  const after = await see('candidate');
  assert.deepEqual([after.blocked, after.barriers, after.deadEnds], [[], [], []]);
});

test('the security floor rises and never falls', async () => {
  const floor = (version: string, reason?: string) =>
    changeRule(candidate, { rule: 'floor', version, ...(reason !== undefined && { reason }) });
  await floor('1.0.0', 'closes a hole');
  await floor('1.1.0~rc1', 'closes another');
  const refused = { code: 'publish/request-invalid' };
  await assert.rejects(floor('1.0.0', 'back'), refused);
  await assert.rejects(floor('1.1.0~rc1'), refused);
  assert.deepEqual((await see('candidate')).securityFloor, {
    version: '1.1.0~rc1',
    reason: 'closes another',
  });
});

test('a deadline is signed beside the channel, which stays as nodes of before know it; it can be taken back', async () => {
  const before = await see('candidate');
  const [by, reason] = ['2026-12-01T00:00:00Z', 'a hole is used'];
  await setDeadline(candidate, { version: '1.0.0', by: '2026-11-30T00:00:00Z', reason });
  const said = await setDeadline(candidate, { version: '1.0.0', by, reason });
  assert.deepEqual(said.deadlines, [{ version: '1.0.0', by, reason }]);
  assert.deepEqual(await see('candidate'), before);
  const { targets } = await openOwnRepository(repoDir, keysDir);
  const { sha256 = '' } = targets[deadlinesTarget('candidate')] ?? {};
  const path = join(repoDir, REPOSITORY.targets, deadlinesFile('candidate', sha256));
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), said);
  assert.deepEqual((await setDeadline(candidate, { version: '1.0.0' })).deadlines, []);
  const refused = { code: 'publish/not-published' };
  await assert.rejects(setDeadline(candidate, { version: '1.0.0' }), refused);
  await assert.rejects(setDeadline(candidate, { version: '9.9.9', by, reason }), refused);
  await assert.rejects(setDeadline(candidate, { version: '1.0.0', by: 'soon', reason }), {
    code: 'update/channel-invalid',
  });
});

test('a release is promoted with what was said of it, unless it is blocked', async () => {
  const ways = { from: 'candidate', to: 'stable' };
  await promote(signing, '1.0.0', ways);
  await promote(signing, '1.0.0', ways);
  assert.deepEqual((await see('stable')).releases, [
    { version: '1.0.0', manifest: 'plinth_1.0.0_x86-64.manifest.json', notes: 'of 1.0.0' },
  ]);
  await changeRule(candidate, { rule: 'block', version: '1.1.0~rc1', reason: 'bad' });
  await assert.rejects(promote(signing, '1.1.0~rc1', ways), { code: 'publish/release-refused' });
});

test('what is not there is told, and a value that nodes would refuse is not signed', async () => {
  const block = (version: string, channel: string, reason: string) =>
    changeRule({ ...signing, channel }, { rule: 'block', version, reason });
  await assert.rejects(block('9.9.9', 'candidate', 'x'), { code: 'publish/not-published' });
  await assert.rejects(block('1.0.0', 'nowhere', 'x'), { code: 'publish/not-published' });
  await assert.rejects(changeRule(candidate, { rule: 'barrier', version: '1.0.0' }), {
    code: 'publish/not-published',
  });
  await assert.rejects(block('1.0.0', 'candidate', 'two\nlines'), { code: 'update/channel-invalid' });
  await assert.rejects(
    publishRelease({ ...signing, channel: 'Not A Name', releaseDir: join(scratch, '1.0.0') }),
    { code: 'update/channel-invalid' },
  );
  await see('candidate');
});

test('a channel that was changed on the disk is not signed', async () => {
  const { targets } = await openOwnRepository(repoDir, keysDir);
  const { sha256 = '' } = targets[channelTarget('candidate')] ?? {};
  const path = join(repoDir, REPOSITORY.targets, channelFile('candidate', sha256));
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('1.0.0', '6.6.6'));
  await assert.rejects(changeRule(candidate, { rule: 'block', version: '1.0.0', reason: 'x' }), {
    code: 'publish/repository-invalid',
  });
  await writeFile(path, text);
  await changeRule(candidate, { rule: 'block', version: '1.0.0', reason: 'x' });
});
