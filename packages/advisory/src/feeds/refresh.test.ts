import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { openAdvisoryStore } from '../store/index.ts';
import type { FeedHead } from './feed-content.ts';
import { stateOfFeed } from './feed-states.ts';
import { fixSuites, refreshIndexes, suitesFor } from './refresh.ts';

const NOW = new Date('2026-11-22T12:00:00.000Z');

/** A mirror that answers every request with this. */
async function mirror(context: TestContext, status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

function head(fields: Partial<FeedHead> = {}): FeedHead {
  return {
    name: 'debian-index:sid',
    ...{
      date: '2026-11-20T00:00:00.000Z',
      fetchedAt: '2026-11-20T00:00:00.000Z',
      validUntil: '2026-11-27T00:00:00.000Z',
    },
    ...{ validitySource: 'feed', sha256: 'a'.repeat(64), sizeBytes: 0, authenticity: 'archive-signature' },
    ...fields,
  };
}

test('which suites a release is judged by', () => {
  // Such a name comes from the system that is scanned.
  for (const name of ['../../etc', 'trixie/../sid', 'a b', ''])
    assert.deepEqual(suitesFor(name), ['forky', 'sid'], name);
  assert.deepEqual(fixSuites('trixie'), ['trixie', 'trixie-updates', 'trixie-security']);
  assert.deepEqual(suitesFor('trixie').slice(3), ['trixie-backports', 'forky', 'sid']);
  assert.deepEqual(fixSuites(''), []);
});

test('a mirror that has nothing, or lies, ends no run: the suite is noted as failed, and what was there stays', async (context) => {
  const cacheRoot = await scratchFolder('indexes');
  for (const [status, body, code] of [
    [404, 'no', 'debian/index-invalid'],
    [200, 'this is no signed index', 'debian/index-untrusted'],
  ] as const) {
    const base = await mirror(context, status, body);
    const store = await openAdvisoryStore(':memory:');
    await store.replaceOffers(head(), [{ source: 'a', version: '1', binaries: [], changelogIn: [] }]);
    const failures = await refreshIndexes(store, ['sid'], {
      mirrors: { debian: base, security: base },
      now: NOW,
      cacheRoot,
    });
    assert.match(failures.get('sid') ?? '', new RegExp(code));
    assert.equal((await store.offers(['a']))[0]?.version, '1');
    assert.match((await store.feeds())[0]?.failure?.detail ?? '', new RegExp(code));
  }
});

test('what was fetched lately is not fetched again, unless it ended', async () => {
  const nowhere = { debian: 'http://127.0.0.1:1', security: 'http://127.0.0.1:1' };
  const store = await openAdvisoryStore(':memory:');
  await store.replaceOffers(head({ fetchedAt: '2026-11-22T06:00:00.000Z' }), []);
  const options = { mirrors: nowhere, now: NOW };
  assert.equal((await refreshIndexes(store, ['sid'], options)).size, 0);
});

test('a feed by its dates: fresh, partial, stale; a failed attempt alone takes nothing from what is valid', () => {
  const failure = { at: '2026-11-22T00:00:00.000Z', condition: 'missing', detail: 'no network' } as const;
  assert.equal(stateOfFeed(head(), NOW).condition, 'fresh');
  const tried = stateOfFeed(head({ failure }), NOW);
  assert.deepEqual(
    [tried.condition, tried.detail],
    ['fresh', 'could not be read anew at 2026-11-22T00:00:00.000Z: no network'],
  );
  assert.equal(stateOfFeed(head({ holes: 'two files' }), NOW).condition, 'partial');
  const stale = stateOfFeed(head({ validUntil: '2026-11-21T00:00:00.000Z', failure }), NOW);
  assert.equal(stale.condition, 'stale');
  assert.match(stale.detail ?? '', /was valid until 2026-11-21.*no network/);
});
