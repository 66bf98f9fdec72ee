import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AskedFor, type Fault, openLyingServer } from '../testing/lying-server.ts';
import { type Fetcher, openFetcher } from './fetcher.ts';

const BLOCK = 4096;
const BLOCKS = 200;
/** Blocks that all differ. */
const file = Buffer.alloc(BLOCKS * BLOCK);
for (let block = 0; block < BLOCKS; block++)
  file.fill(`block ${block} of the file;`, block * BLOCK, (block + 1) * BLOCK);
const path = 'targets/root.raw';

type Told = (asked: AskedFor) => Fault | undefined;

/** Runs work with one server for each list of faults, in this order. */
async function withServers<T>(
  faults: readonly Told[],
  work: (fetcher: Fetcher, servers: readonly Awaited<ReturnType<typeof openLyingServer>>[]) => Promise<T>,
  options: { readonly bytesPerSecond?: number; readonly signal?: AbortSignal } = {},
): Promise<T> {
  const servers = await Promise.all(
    faults.map((fault) =>
      openLyingServer({
        files: new Map([
          [path, file],
          ['targets/other.raw', Buffer.alloc(file.length)],
        ]),
        fault,
      }),
    ),
  );
  const fetcher = openFetcher({
    addresses: servers.map(({ address }) => address),
    stallMs: 300,
    pauseMs: 5,
    signal: options.signal ?? new AbortController().signal,
    ...(options.bytesPerSecond && { bytesPerSecond: options.bytesPerSecond }),
  });
  try {
    return await work(fetcher, servers);
  } finally {
    fetcher.close();
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** Fetches ranges and keeps what is good, as staging does. */
async function fetchBlocks(fetcher: Fetcher, ranges: readonly (readonly [block: number, count: number])[]) {
  const got = new Map<number, Buffer>();
  await fetcher.ranges({
    path,
    fileBytes: file.length,
    blockBytes: BLOCK,
    ranges: ranges.map(([block, count]) => ({ offset: block * BLOCK, sizeBytes: count * BLOCK })),
    async accept(offset, bytes) {
      for (let at = 0; at < bytes.length; at += BLOCK) {
        const block = bytes.subarray(at, at + BLOCK);
        if (!block.equals(file.subarray(offset + at, offset + at + BLOCK))) return at;
        got.set((offset + at) / BLOCK, Buffer.from(block));
      }
      return bytes.length;
    },
  });
  return got;
}

const honest: Told = () => undefined;
const once =
  (fault: Fault): Told =>
  ({ before }) =>
    before === 0 ? fault : undefined;
const always =
  (fault: Fault): Told =>
  () =>
    fault;
const all = [[0, BLOCKS]] as const;

test('only the ranges that are wanted cross the wire', async () => {
  await withServers([honest], async (fetcher, [server]) => {
    const got = await fetchBlocks(fetcher, [
      [3, 2],
      [100, 1],
      [198, 2],
    ]);
    assert.deepEqual([...got.keys()], [3, 4, 100, 198, 199]);
    assert.equal(fetcher.bytesFetched(), 5 * BLOCK);
    assert.equal(server?.sentBytes(), 5 * BLOCK);
  });
});

const survived: readonly (readonly [string, Fault])[] = [
  ['cut after some bytes', { kind: 'truncate', afterBytes: 50 * BLOCK + 17 }],
  ['cut before the first block', { kind: 'truncate', afterBytes: 1 }],
  ['stalls', { kind: 'stall', afterBytes: 20 * BLOCK + 5 }],
  ['trickles', { kind: 'trickle', everyMs: 20 }],
  ['is slow to answer', { kind: 'delay', delayMs: 150 }],
  ['never answers', { kind: 'no-answer' }],
  ['flips a bit', { kind: 'corrupt', atByte: 77 * BLOCK + 9 }],
  ['exchanges blocks', { kind: 'swap', atByte: 40 * BLOCK, blockBytes: BLOCK }],
  ['sends another range and admits it', { kind: 'wrong-range', shiftBytes: BLOCK, admits: true }],
  ['sends another range secretly', { kind: 'wrong-range', shiftBytes: BLOCK, admits: false }],
  ['sends less than was asked', { kind: 'short-range', sizeBytes: 10 * BLOCK }],
  ['knows no ranges', { kind: 'no-ranges' }],
  ['fails', { kind: 'status', status: 503 }],
  ['never ends', { kind: 'endless' }],
  ['has another file', { kind: 'other-file', path: 'targets/other.raw' }],
  ['compresses', { kind: 'encoding', encoding: 'gzip' }],
];

for (const [what, fault] of survived) {
  test(`a server that ${what} once: the same bytes arrive, from it alone and with a mirror`, async () => {
    for (const others of [[], [honest]]) {
      await withServers([once(fault), ...others], async (fetcher) => {
        const got = await fetchBlocks(fetcher, [
          [0, 90],
          [120, 80],
        ]);
        assert.equal(got.size, 170);
      });
    }
  });
}

test('many small ranges share a few connections, and none waits for the answer of the one before', async () => {
  const ranges = Array.from({ length: 40 }, (_, index) => [index * 5, 1] as const);
  const slow: Told = ({ before }) => (before < 200 ? { kind: 'delay', delayMs: 25 } : undefined);
  await withServers([slow], async (fetcher, servers) => {
    assert.equal((await fetchBlocks(fetcher, ranges)).size, 40);
    assert.ok((servers[0]?.waitingMost() ?? 0) > 1, 'several answers on their way');
    assert.equal(servers[0]?.asked.length, 40);
    assert.ok((servers[0]?.connections() ?? 99) <= 4);
    assert.equal(fetcher.bytesFetched(), 40 * BLOCK);
  });
});

test('what has arrived is not asked for again', async () => {
  await withServers([once({ kind: 'truncate', afterBytes: 50 * BLOCK + 17 })], async (fetcher, [server]) => {
    await fetchBlocks(fetcher, all);
    assert.deepEqual(
      server?.asked.map(({ range }) => range?.first),
      [0, 50 * BLOCK],
    );
    assert.ok(fetcher.bytesFetched() < file.length + BLOCK);
  });
});

const refused: readonly (readonly [Fault, string])[] = [
  [{ kind: 'corrupt', atByte: 5 }, 'update/content-wrong'],
  [{ kind: 'other-file', path: 'targets/other.raw' }, 'update/content-wrong'],
  [{ kind: 'wrong-range', shiftBytes: 4 * BLOCK, admits: false }, 'update/content-wrong'],
  [{ kind: 'no-answer' }, 'update/stalled'],
  [{ kind: 'trickle', everyMs: 25 }, 'update/stalled'],
  [{ kind: 'status', status: 500 }, 'update/unreachable'],
  [{ kind: 'status', status: 404 }, 'update/unreachable'],
  [{ kind: 'truncate', afterBytes: 0 }, 'update/unreachable'],
];

for (const [fault, code] of refused) {
  test(`a server that always does it is given up: ${fault.kind} is ${code}`, async () => {
    await withServers([always(fault)], async (fetcher, [server]) => {
      await assert.rejects(fetchBlocks(fetcher, all), (reason: unknown) => {
        assert.ok(reason instanceof Error && 'code' in reason);
        assert.equal(reason.code, code);
        assert.match(reason.message, /from any of 1 addresses: http:/);
        return true;
      });
      assert.ok((server?.asked.length ?? 0) <= 3);
    });
  });
}

test('any mix of faults on two servers gives the right bytes or a code, never others', async () => {
  const fault = fc.oneof(
    ...survived
      .filter(([, { kind }]) => !['stall', 'trickle', 'no-answer', 'delay'].includes(kind))
      .map(([, one]) => fc.constant(one)),
    fc
      .integer({ min: 0, max: BLOCKS * BLOCK })
      .map((afterBytes): Fault => ({ kind: 'truncate', afterBytes })),
    fc.integer({ min: 0, max: BLOCKS * BLOCK - 1 }).map((atByte): Fault => ({ kind: 'corrupt', atByte })),
    fc.constant(undefined),
  );
  const script = fc.array(fault, { maxLength: 6 });
  const ranges = fc
    .uniqueArray(fc.integer({ min: 0, max: BLOCKS - 1 }), { minLength: 1, maxLength: 12 })
    .map((blocks) => blocks.sort((a, b) => a - b).map((block) => [block, 1] as const));
  await fc.assert(
    fc.asyncProperty(script, script, ranges, async (first, second, wanted) => {
      const told =
        (list: readonly (Fault | undefined)[]): Told =>
        ({ total }) =>
          list[total];
      await withServers([told(first), told(second)], async (fetcher) => {
        // Each server is honest once its list is at its end, and three lies are forgiven: one of the two always delivers.
        const lies = (list: readonly (Fault | undefined)[]) =>
          list.filter(
            (one) => one && ['corrupt', 'swap', 'wrong-range', 'other-file', 'encoding'].includes(one.kind),
          ).length;
        const got = await fetchBlocks(fetcher, wanted).catch((reason: unknown) => reason);
        if (got instanceof Map) assert.equal(got.size, wanted.length);
        else assert.ok(lies(first) + lies(second) >= 3 || first.length + second.length >= 6, String(got));
      });
    }),
    { numRuns: 40 },
  );
});

test('who cannot take what came is no fault of the server: it ends at once, with what was thrown', async () => {
  await withServers([honest, honest], async (fetcher, servers) => {
    const full = new Error('the disk is full');
    const accept = () => Promise.reject(full);
    const ranges = [{ offset: 0, sizeBytes: BLOCK }];
    await assert.rejects(
      fetcher.ranges({ path, fileBytes: file.length, blockBytes: BLOCK, ranges, accept }),
      full,
    );
    assert.equal(
      servers.reduce((sum, { asked }) => sum + asked.length, 0),
      1,
    );
  });
});

test('bytes that are judged together begin anew with another server, and a liar is found by its hash', async () => {
  await withServers([always({ kind: 'corrupt', atByte: 100_000 }), honest], async (fetcher, [liar, good]) => {
    let got: Buffer[] = [];
    await fetcher.ranges({
      path,
      fileBytes: file.length,
      blockBytes: BLOCK,
      ranges: [{ offset: 0, sizeBytes: file.length }],
      async accept(_, bytes) {
        got.push(Buffer.from(bytes));
        return bytes.length;
      },
      together: {
        async restart() {
          got = [];
        },
        isGood: async () => hash('sha256', Buffer.concat(got)) === hash('sha256', file),
      },
    });
    assert.ok(Buffer.concat(got).equals(file));
    assert.ok((liar?.asked.length ?? 0) > 0 && good?.asked.length === 1);
  });
});

test('a rate is kept', async () => {
  const bytesPerSecond = 1_000_000;
  await withServers(
    [honest],
    async (fetcher) => {
      const startMs = performance.now();
      await fetchBlocks(fetcher, all);
      const passedMs = performance.now() - startMs;
      const expectedMs = (file.length / bytesPerSecond) * 1000;
      assert.ok(passedMs > expectedMs * 0.6, `${passedMs} ms for ${expectedMs} ms`);
    },
    { bytesPerSecond },
  );
});

test('small files are limited and checked', async () => {
  const expected = { sizeBytes: file.length, sha256: hash('sha256', file) };
  await withServers([honest], async (fetcher) => {
    assert.ok((await fetcher.file({ path, limitBytes: file.length })).equals(file));
    await assert.rejects(fetcher.file({ path, limitBytes: 100 }), { code: 'update/too-large' });
    await assert.rejects(
      fetcher.file({ path, limitBytes: 1, expected: { ...expected, sha256: '0'.repeat(64) } }),
      { code: 'update/content-wrong' },
    );
  });
  await withServers([always({ kind: 'endless' })], async (fetcher) => {
    await assert.rejects(fetcher.file({ path, limitBytes: file.length }), { code: 'update/too-large' });
  });
  await withServers([always({ kind: 'corrupt', atByte: 1 }), honest], async (fetcher) => {
    assert.ok((await fetcher.file({ path, limitBytes: 1, expected })).equals(file));
  });
});

test('redirects are followed, a few of them', async () => {
  const away = await openLyingServer({ files: new Map([['x/targets/root.raw', file]]) });
  try {
    await withServers(
      [always({ kind: 'redirect', to: `${away.address}x/targets/root.raw` })],
      async (fetcher) => {
        assert.equal((await fetchBlocks(fetcher, [[7, 3]])).size, 3);
      },
    );
    for (const to of ['/targets/root.raw', 'ftp://127.0.0.1/', 'http://user:secret@127.0.0.1/']) {
      await withServers([always({ kind: 'redirect', to })], async (fetcher) => {
        await assert.rejects(
          fetchBlocks(fetcher, all),
          (reason: Error) => !reason.message.includes('secret') && /redirect/.test(reason.message),
        );
      });
    }
  } finally {
    await away.close();
  }
});

test('an aborted signal ends fetching at once', async () => {
  const stop = new AbortController();
  await withServers(
    [always({ kind: 'stall', afterBytes: 5 * BLOCK })],
    async (fetcher) => {
      setTimeout(() => stop.abort(new Error('enough')), 50);
      await assert.rejects(fetchBlocks(fetcher, all), { message: 'enough' });
    },
    { signal: stop.signal },
  );
});

test('addresses are http or https and carry no password', () => {
  const open = (...addresses: string[]) =>
    openFetcher({ addresses, stallMs: 1, signal: new AbortController().signal });
  for (const bad of ['ftp://x/', 'x', 'http://a:b@x/', 'http://x/?token=1', 'file:///etc']) {
    assert.throws(
      () => open(bad),
      (reason: Error) =>
        !reason.message.includes('a:b') && 'code' in reason && reason.code === 'update/bad-source',
    );
  }
  assert.throws(() => open(), { code: 'update/bad-source' });
  open('https://x.example/releases').close();
});
