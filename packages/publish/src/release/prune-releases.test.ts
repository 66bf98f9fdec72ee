import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { compareUapiVersions } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import type { Channel } from '@plinth/updates';
import fc from 'fast-check';
import { changeRule, promote } from '../channel/change-channel.ts';
import { emptyChannel } from '../channel/channel-store.ts';
import { initUpdateKeys } from '../keys/init-update-keys.ts';
import { readTrustedRoot } from '../keys/trusted-root.ts';
import { refreshRepository } from '../repository/refresh-repository.ts';
import { serveRepository } from '../serve/serve-repository.ts';
import { followChannel, writeSampleFiles } from '../testing/index.ts';
import { verifyServed } from '../verify/verify-served.ts';
import { planPrune } from './plan-prune.ts';
import { pruneReleases } from './prune-releases.ts';
import { publishRelease } from './publish-release.ts';

const DAY_MS = 86_400_000;

suite('which releases go', () => {
  const version = fc.integer({ min: 0, max: 30 }).map((minor) => `1.${minor}`);
  const rules = fc
    .uniqueArray(version, { maxLength: 6 })
    .map((list) => list.map((one) => ({ version: one, reason: 'a reason' })));
  const channel = (name: string) =>
    fc
      .record({
        ...{ barriers: rules, blocked: rules, deadEnds: rules },
        releases: fc
          .uniqueArray(version, { maxLength: 20 })
          .map((list) =>
            list.map((one) => ({ version: one, manifest: `plinth_${one}_x86-64.manifest.json` })),
          ),
      })
      .map((parts): Channel => ({ ...emptyChannel(name), ...parts }));

  test('what nodes may take and the newest of it stays, barriers stay, files of what is offered stay', () => {
    fc.assert(
      fc.property(channel('stable'), channel('candidate'), fc.integer({ min: 1, max: 8 }), (a, b, keep) => {
        const targets = Object.fromEntries(
          [...a.releases, ...b.releases].flatMap(({ version: of }) =>
            ['efi', 'manifest.json'].map((end) => [
              `plinth_${of}_x86-64.${end}`,
              { sizeBytes: 1, sha256: '' },
            ]),
          ),
        );
        const plan = planPrune([a, b], targets, keep);
        const after = [a, b].map((of) => plan.channels.find((one) => one.channel === of.channel) ?? of);
        for (const [index, before] of [a, b].entries()) {
          const left = after[index]?.releases.map((one) => one.version) ?? [];
          const bad = new Set([...before.blocked, ...before.deadEnds].map((one) => one.version));
          const fit = before.releases
            .map((one) => one.version)
            .filter((one) => !bad.has(one))
            .sort(compareUapiVersions);
          for (const one of fit.slice(-keep)) assert.ok(left.includes(one), `${one} stays`);
          for (const { version: one } of before.releases)
            if (before.barriers.some((rule) => rule.version === one)) assert.ok(left.includes(one));
          assert.deepEqual(after[index]?.blocked, before.blocked);
          assert.equal(left.length === 0, before.releases.length === 0);
        }
        const offered = after.flatMap(({ releases }) => releases.map((one) => one.version));
        const kept = Object.keys(targets).filter((name) => !plan.names.includes(name));
        assert.deepEqual(new Set(kept.map((name) => name.split('_')[1])), new Set(offered));
      }),
      { numRuns: 300 },
    );
  });

  test('a version that begins like another one does not take its files along', () => {
    const releases = ['1.1', '1.10', '1.2'].map((one) => ({ version: one, manifest: 'm' }));
    const targets = Object.fromEntries(
      releases.map((one) => [`plinth_${one.version}_x86-64.efi`, { sizeBytes: 1, sha256: '' }]),
    );
    const plan = planPrune([{ ...emptyChannel('stable'), releases }], targets, 2);
    assert.deepEqual([plan.versions, plan.names], [['1.1'], ['plinth_1.1_x86-64.efi']]);
  });
});

test('old releases leave the list at once and the disk after a week; readers find a whole repository all the time', async () => {
  const scratch = await scratchFolder('prune');
  const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
  await mkdir(keysDir);
  await initUpdateKeys(keysDir);
  const root = await readTrustedRoot(keysDir);
  const stable = { repoDir, keysDir, channel: 'stable' };
  const publish = async (version: string) => {
    const releaseDir = join(scratch, version);
    await writeSampleFiles(releaseDir, { version });
    await publishRelease({ ...stable, releaseDir });
  };
  for (const version of ['1.0', '1.1', '1.2', '1.3', '1.4']) await publish(version);
  await changeRule(stable, { rule: 'barrier', version: '1.1', reason: 'moves the state' });
  await promote(stable, '1.0', { from: 'stable', to: 'old' });
  await using server = await serveRepository({ repoDir });

  const { versions, sizeBytes } = await pruneReleases({ repoDir, keysDir, keep: 2 });
  assert.deepEqual(versions, ['1.2'], 'the other channel still offers 1.0');
  assert.ok(sizeBytes > 0);
  const left = await followChannel(server.url, join(scratch, 'node'), root);
  assert.deepEqual(
    left.channel.releases.map((one) => one.version),
    ['1.1', '1.3', '1.4'],
  );
  const files = async () =>
    (await readdir(join(repoDir, 'targets'))).filter((name) => name.includes('_1.2_'));
  const before = await files();
  assert.ok(before.length > 5, 'whoever has the list of before can go on');
  assert.deepEqual((await pruneReleases({ repoDir, keysDir, keep: 2 })).versions, []);

  await refreshRepository({ repoDir, keysDir, now: new Date(Date.now() + 6 * DAY_MS) });
  assert.deepEqual(await files(), before);
  await refreshRepository({ repoDir, keysDir, now: new Date(Date.now() + 8 * DAY_MS) });
  assert.deepEqual(await files(), []);
  const checks = await verifyServed({ url: server.url, root, channels: ['stable', 'old'], files: true });
  assert.ok(checks.every(({ verdict }) => verdict === 'pass'));
});

test('a release that is published again before its files went stays', async () => {
  const scratch = await scratchFolder('prune-again');
  const [keysDir, repoDir] = [join(scratch, 'keys'), join(scratch, 'repo')];
  await mkdir(keysDir);
  await initUpdateKeys(keysDir);
  const stable = { repoDir, keysDir, channel: 'stable' };
  for (const version of ['1.0', '1.1']) {
    await writeSampleFiles(join(scratch, version), { version });
    await publishRelease({ ...stable, releaseDir: join(scratch, version) });
  }
  assert.deepEqual((await pruneReleases({ repoDir, keysDir, keep: 1 })).versions, ['1.0']);
  await publishRelease({ ...stable, releaseDir: join(scratch, '1.0') });
  await refreshRepository({ repoDir, keysDir, now: new Date(Date.now() + 8 * DAY_MS) });
  const names = await readdir(join(repoDir, 'targets'));
  assert.ok(names.some((name) => name.includes('_1.0_')));
  await assert.rejects(pruneReleases({ repoDir, keysDir, keep: 0 }), { code: 'publish/request-invalid' });
});
