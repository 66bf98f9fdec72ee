import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, scratchFolder } from '@plinth/host/testing';
import { initUpdateKeys, publishRelease } from '@plinth/publish';
import { followChannel, writeSampleFiles } from '@plinth/publish/testing';
import { initKeys, readUpdateKeyRing, updateKeyFolder } from '@plinth/trust';
import { runCli } from '../run-cli.ts';

const scratch = await scratchFolder('release-commands');
const [keys, repo] = [join(scratch, 'keys'), join(scratch, 'repo')];
// A key folder from before there were update keys.
await initKeys(keys);

async function plinth(
  argv: readonly string[],
  signal = new AbortController().signal,
  onOut?: (text: string) => void,
) {
  const out: string[] = [];
  const err: string[] = [];
  const world = {
    stdout: {
      write: (text: string) => {
        out.push(text);
        onOut?.(text);
      },
    },
    stderr: { write: (text: string) => err.push(text) },
    env: { PLINTH_KEYS: keys, HOME: scratch },
  };
  const exitCode = await runCli(argv, world, signal);
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

async function json(...argv: string[]) {
  const { stdout, stderr, exitCode } = await plinth([...argv, '-o', 'json']);
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout);
}

test('a key folder gets the update keys it lacks, lists and exports them, and is then complete', async () => {
  const made = await json('keys', 'init', '--quorum', 'root=3/5');
  assert.deepEqual([made.isNew, made.updateKeys], [false, 9]);
  const roles = (await json('keys', 'list')).map(({ role }: { role: string }) => role);
  assert.equal(roles.filter((role: string) => role === 'update-root').length, 5);
  const again = await plinth(['keys', 'init']);
  assert.match(again.stderr, /trust\/keys-exist/);
  const refused = await plinth(['keys', 'init', '--quorum', 'root=3of5']);
  assert.match(refused.stderr, /ROLE=SIGNATURES\/KEYS/);
  await json('keys', 'export', join(scratch, 'out'), '--as', 'root');
  await json('keys', 'export', join(scratch, 'out'), '--as', 'gpg');
  const root = JSON.parse(await readFile(join(scratch, 'out/update-root.json'), 'utf8'));
  assert.equal(root.signed.roles.root.threshold, 3);
});

test('channels are changed, shown and promoted by command', async () => {
  for (const version of ['1.0.0', '1.1.0']) {
    const releaseDir = join(scratch, version);
    await writeSampleFiles(releaseDir, { version });
    await publishRelease({ repoDir: repo, keysDir: keys, channel: 'candidate', releaseDir });
  }
  const promoted = await json('release', 'promote', repo, '1.0.0');
  assert.equal(promoted.channel, 'stable');
  for (const rule of ['barrier', 'dead-end', 'block'])
    await json('release', rule, repo, '1.1.0', '--channel', 'candidate', '--reason', 'why');
  await json('release', 'floor', repo, '1.0.0', '--channel', 'candidate', '--reason', 'a hole');
  const shown = await plinth(['release', 'show', repo, '--channel', 'candidate']);
  assert.match(shown.stdout, /candidate +1\.1\.0 +blocked: why; barrier: why; dead end: why/);
  assert.match(shown.stdout, /timestamp +\d+ +\S+Z +counts/);
  await json('release', 'block', repo, '1.1.0', '--channel', 'candidate', '--undo');
  const { channels } = await json('release', 'show', repo, '--channel', 'candidate');
  assert.deepEqual(channels[0].blocked, []);
  for (const argv of [['--undo', '--reason', 'x'], []])
    assert.equal((await plinth(['release', 'block', repo, '1.1.0', ...argv])).exitCode, 2);
  const absent = await plinth(['release', 'show', join(scratch, 'nowhere')]);
  assert.match(absent.stderr, /publish\/repository-invalid/);
});

test('old releases are pruned by command, and the table says which', async () => {
  const repoDir = join(scratch, 'pruned');
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    await publishRelease({ repoDir, keysDir: keys, channel: 'stable', releaseDir: await release(version) });
  const { stdout } = await plinth(['release', 'prune', repoDir, '--keep', '1']);
  assert.match(stdout, /Versions +1\.0\.0, 1\.1\.0\n/);
  assert.match((await plinth(['release', 'prune', repoDir])).stdout, /none, all are kept/);
  assert.deepEqual((await json('release', 'prune', repoDir, '--keep', '1')).versions, []);
  assert.equal((await plinth(['release', 'prune', repoDir, '--keep', '0'])).exitCode, 2);
});

async function release(version: string): Promise<string> {
  const releaseDir = join(scratch, 'releases', version);
  await writeSampleFiles(releaseDir, { version });
  return releaseDir;
}

test('a rotated key reaches the repository with a refresh, and what a node sees is verified', async () => {
  const rotated = await json('release', 'rotate-keys', 'timestamp');
  assert.equal(rotated.rootVersion, 2);
  const refreshed = await json('release', 'refresh', repo, '--valid', '7d');
  assert.deepEqual([refreshed.roots, refreshed.hasView], [[2], true]);
  const checks = await json('release', 'verify', repo);
  assert.ok(checks.length > 10);
  const sevenDays = refreshed.expiries.find(({ role }: { role: string }) => role === 'timestamp').expires;
  assert.ok(Math.abs(Date.parse(sevenDays) - Date.now() - 7 * 86_400_000) < 60_000);

  const { root } = JSON.parse(await readFile(join(scratch, 'out/update-root.json'), 'utf8')).signed.roles;
  assert.equal(root.keyids.length, 5);
  const older = await plinth(['release', 'verify', repo, '--root', join(scratch, 'out/update-root.json')]);
  assert.equal(older.exitCode, 0, 'who knows the root of before follows');
  await rm(join(repo, 'targets/plinth_1.0.0_x86-64.efi'));
  const damaged = await plinth(['release', 'verify', repo]);
  assert.equal(damaged.exitCode, 1);
  assert.match(damaged.stdout, /plinth_1\.0\.0_x86-64\.efi +fail/);
});

test('a repository is served until it is interrupted', async (context) => {
  const stop = new AbortController();
  context.after(() => stop.abort());
  const err: string[] = [];
  const world = {
    stdout: { write: () => undefined },
    stderr: { write: (text: string) => err.push(text) },
    env: { PLINTH_KEYS: keys },
  };
  const ended = runCli(['release', 'serve', repo], world, stop.signal);
  const url = await eventually(() => /http:\S+/.exec(err.join(''))?.[0] ?? false);
  const root = await readFile(join(updateKeyFolder(keys), '1.root.json'));
  const { channel } = await followChannel(url, join(scratch, 'node'), root);
  assert.deepEqual(
    channel.releases.map(({ version }) => version),
    ['1.0.0'],
  );
  stop.abort();
  await ended;
  await assert.rejects(fetch(url));
});

test('keys made by hand and keys made with an image are the same', async () => {
  const { made } = await initUpdateKeys(keys);
  assert.equal(made, false);
  assert.equal((await readUpdateKeyRing(updateKeyFolder(keys)))?.rootVersion, 2);
});
