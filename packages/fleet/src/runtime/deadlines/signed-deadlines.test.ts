import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import type { KubeConnection } from '@plinth/kube';
import {
  initUpdateKeys,
  publishRelease,
  readTrustedRoot,
  refreshRepository,
  rotateUpdateKey,
  serveRepository,
  setDeadline,
} from '@plinth/publish';
import { writeSampleFiles } from '@plinth/publish/testing';
import { deadlinesFile, parseDeadlines, REPOSITORY } from '@plinth/updates';
import { UPDATE_ROOT } from '../../install/names.ts';
import { ScriptedFleet } from '../../testing/scripted-fleet.ts';
import { openSignedDeadlines } from './signed-deadlines.ts';

// What "plinth release deadline" signs, read by the operator that has only the root of trust in a ConfigMap.

const HOUR_MS = 3_600_000;
const START = new Date('2026-11-22T10:00:00Z');
const BY = '2026-12-01T00:00:00Z';
const reason = 'a hole is used';

async function published(context: TestContext) {
  const scratch = await scratchFolder('deadlines');
  const [keysDir, repoDir, releaseDir] = ['keys', 'repository', 'release'].map((name) => join(scratch, name));
  assert.ok(keysDir && repoDir && releaseDir);
  await mkdir(keysDir);
  await initUpdateKeys(keysDir, { now: START });
  await writeSampleFiles(releaseDir, { version: '2' });
  const signing = { repoDir, keysDir, channel: 'stable' };
  await publishRelease({ ...signing, releaseDir, now: START });
  const server = await serveRepository({ repoDir });
  context.after(() => server.close());

  const fleet = new ScriptedFleet(START.getTime());
  fleet.addRelease('2', { channel: { repository: server.url, name: 'stable' } });
  fleet.addPolicy('workers', { release: '2' });
  let root: string | undefined = Buffer.from(await readTrustedRoot(keysDir)).toString('utf8');
  const connection: KubeConnection = {
    server: new URL('https://api.example'),
    call: async ({ path }) => {
      assert.equal(path, `/api/v1/namespaces/plinth-fleet/configmaps/${UPDATE_ROOT.name}`);
      const data = root === undefined ? {} : { [UPDATE_ROOT.key]: root };
      return { status: 200, text: JSON.stringify({ data }), retryAfterMs: undefined };
    },
    open: () => Promise.reject(new Error('nothing is watched')),
    [Symbol.dispose]: () => undefined,
  };
  let nowMs = START.getTime();
  let news = 0;
  const open = () =>
    openSignedDeadlines({
      ...{ connection, namespace: 'plinth-fleet' },
      ...{ policies: fleet.server.objects.policy, releases: fleet.server.objects.release },
      nowMs: () => nowMs,
      wait: () => Promise.resolve(),
      changed: () => {
        news += 1;
      },
    });
  let deadlines = open();
  return {
    ...{ scratch, keysDir, repoDir, signing, fleet },
    now: () => new Date(nowMs),
    news: () => news,
    setRoot: (text: string | undefined) => {
      root = text;
    },
    /** Another process leads: what was seen is forgotten. */
    restart: () => {
      deadlines = open();
    },
    async look(hours = 1) {
      nowMs += hours * HOUR_MS;
      await deadlines.look(AbortSignal.timeout(20_000));
      return deadlines.byRelease().get('2');
    },
  };
}

test('a deadline that is signed reaches the operator over new keys, and is heard once', async (context) => {
  const one = await published(context);
  assert.deepEqual(await one.look(), { is: 'none' });
  await setDeadline({ ...one.signing, now: one.now() }, { version: '2', by: BY, reason });
  const said = { is: 'said', byMs: Date.parse(BY), reason };
  assert.deepEqual(await one.look(), said);
  const news = one.news();
  assert.deepEqual(await one.look(), said);
  assert.equal(one.news(), news, 'nobody is woken by what is known');
  for (const role of ['root', 'images', 'timestamp'] as const) {
    await rotateUpdateKey(one.keysDir, role, { now: one.now() });
    await refreshRepository({ ...one.signing, now: one.now() });
    assert.deepEqual(await one.look(), said, `after a new key of ${role}`);
  }
  one.restart();
  assert.deepEqual(await one.look(), said);
  await setDeadline({ ...one.signing, now: one.now() }, { version: '2' });
  assert.deepEqual(await one.look(), { is: 'none' });
});

test('what is not signed, expired, rolled back, by other keys or without a root is unknown', async (context) => {
  const one = await published(context);
  const unknown = async (text: RegExp) => {
    const seen = await one.look();
    assert.equal(seen?.is, 'unknown');
    assert.match(seen.is === 'unknown' ? seen.text : '', text);
  };
  const said = async (by: string) =>
    setDeadline({ ...one.signing, now: one.now() }, { version: '2', by, reason });
  await said(BY);
  const before = join(one.scratch, 'before');
  await cp(one.repoDir, before, { recursive: true });
  const latest = await said('2026-12-02T00:00:00Z');
  assert.equal((await one.look())?.is, 'said');

  const metadata = join(one.repoDir, REPOSITORY.metadata);
  const newest = join(one.scratch, 'newest');
  await cp(metadata, newest, { recursive: true });
  await cp(join(before, REPOSITORY.metadata), metadata, { recursive: true });
  await unknown(/timestamp\.json.*which was seen before/);
  await cp(newest, metadata, { recursive: true });
  assert.equal((await one.look())?.is, 'said');

  const { createHash } = await import('node:crypto');
  const text = `${JSON.stringify(latest, undefined, 2)}\n`;
  const digest = createHash('sha256').update(text).digest('hex');
  const file = join(one.repoDir, REPOSITORY.targets, deadlinesFile('stable', digest));
  assert.deepEqual(parseDeadlines(await readFile(file, 'utf8'), 'stable'), latest);
  await writeFile(file, text.replace('2026-12-02', '2026-11-23'));
  await unknown(/other bytes than were signed/);
  await writeFile(file, text);
  assert.equal((await one.look())?.is, 'said');

  const strangers = join(one.scratch, 'strangers');
  await mkdir(strangers);
  await initUpdateKeys(strangers, { now: START });
  const own = Buffer.from(await readTrustedRoot(one.keysDir)).toString('utf8');
  one.setRoot(Buffer.from(await readTrustedRoot(strangers)).toString('utf8'));
  one.restart();
  await unknown(/timestamp\.json/);
  one.setRoot(undefined);
  await unknown(/no key root\.json, expected the root of trust/);
  one.setRoot(own);
  assert.equal((await one.look())?.is, 'said');

  assert.match(JSON.stringify(await one.look(48)), /expired at/);
});
