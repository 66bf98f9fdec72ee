import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { channelFile, channelTarget } from '@plinth/updates';
import fc from 'fast-check';
import { Updater } from 'tuf-js';
import { memoryStore, type StateStore } from '../../sys/state-store.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { openFetcher } from '../fetch/fetcher.ts';
import { type Fault, openLyingServer } from '../testing/lying-server.ts';
import { type SampleRepository, sampleKey, sampleRepository } from '../testing/sample-repository.ts';
import { openRepository, type ReleaseRepository } from './open-repository.ts';

const DAY_MS = 86_400_000;
const ROOT = '/usr/lib/plinth/update-root.json';
const file = Buffer.from('a file of a release\n');

interface Node {
  readonly store: StateStore;
  nowMs: number;
  readonly builtAtMs: number;
}

function sampleNode(nowMs = Date.now()): Node {
  return { store: memoryStore('a test'), nowMs, builtAtMs: nowMs - 10 * DAY_MS };
}

async function serve(
  context: TestContext,
  repository: SampleRepository,
  fault?: (path: string) => Fault | undefined,
) {
  const server = await openLyingServer({ files: repository.files, fault: ({ path }) => fault?.(path) });
  context.after(() => server.close());
  return server.address;
}

async function refresh(
  addresses: string | readonly string[],
  repository: Pick<SampleRepository, 'trustedRoot'>,
  node: Node = sampleNode(),
  // On a busy machine an honest server may be slow; only a server that is silent on purpose is not waited for.
  stallMs = 10_000,
): Promise<ReleaseRepository> {
  const { signal } = new AbortController();
  const fetcher = openFetcher({ addresses: [addresses].flat(), stallMs, pauseMs: 1, signal });
  try {
    const sys = fakeSys({
      files: { [ROOT]: repository.trustedRoot },
      modifiedAtMs: { [ROOT]: node.builtAtMs },
      nowMs: node.nowMs,
    });
    return await openRepository({ sys, fetcher, store: node.store, signal });
  } finally {
    fetcher.close();
  }
}

function published(): SampleRepository {
  const repository = sampleRepository();
  repository.put('plinth_2_x86-64.efi', file);
  repository.publish();
  return repository;
}

test('targets are found below the delegation, others are not', async (context) => {
  const repository = published();
  const found = await refresh(await serve(context, repository), repository);
  assert.equal(found.target('plinth_2_x86-64.efi').sizeBytes, file.length);
  assert.equal(found.clockBehind, false);
  assert.throws(() => found.target('plinth_3_x86-64.efi'), { code: 'update/target-missing' });
  assert.throws(() => found.target('__proto__'), { code: 'update/target-missing' });
});

const bad: readonly (readonly [
  what: string,
  code: string,
  change: (repository: SampleRepository) => void,
])[] = [
  ...(['timestamp', 'snapshot', 'targets', 'images'] as const).flatMap((role) => [
    [
      `${role} is expired`,
      'update/metadata-expired',
      ({ state }: SampleRepository): void => {
        state.expiresAtMs[role] = Date.now() - DAY_MS;
      },
    ] as const,
    [
      `${role} is signed by a foreign key`,
      'update/metadata-unsigned',
      ({ state }: SampleRepository): void => {
        state.signers[role] = [sampleKey()];
      },
    ] as const,
    [
      `${role} is not signed`,
      'update/metadata-unsigned',
      ({ state }: SampleRepository): void => {
        state.signers[role] = [];
      },
    ] as const,
  ]),
  [
    'images is signed by one of two',
    'update/metadata-unsigned',
    ({ state }) => {
      state.signers.images = state.keys.images;
      state.keys.images = [...state.keys.images, sampleKey()];
      state.thresholds.images = 2;
    },
  ],
];

for (const [what, code, change] of bad) {
  test(`${what}: ${code}`, async (context) => {
    const repository = published();
    change(repository);
    repository.publish();
    await assert.rejects(refresh(await serve(context, repository), repository), { code });
  });
}

test('what a server changes on the way is not believed', async (context) => {
  for (const name of ['timestamp.json', '1.snapshot.json', '1.targets.json', '1.images.json']) {
    const repository = published();
    const path = `metadata/${name}`;
    const liar = await serve(context, repository, (asked) =>
      asked === path ? { kind: 'corrupt', atByte: 60 } : undefined,
    );
    await assert.rejects(refresh(liar, repository), (reason: Error & { code?: string }) =>
      ['update/metadata-invalid', 'update/metadata-unsigned'].includes(reason.code ?? ''),
    );
    const endless = await serve(context, repository, (asked) =>
      asked === path ? { kind: 'endless' } : undefined,
    );
    await assert.rejects(refresh(endless, repository), { code: 'update/too-large' });
    const silent = await serve(context, repository, (asked) =>
      asked === path ? { kind: 'stall', afterBytes: 10 } : undefined,
    );
    await assert.rejects(refresh(silent, repository, sampleNode(), 300), { code: 'update/stalled' });
    const none = await serve(context, repository, (asked) =>
      asked === path ? { kind: 'status', status: 404 } : undefined,
    );
    await assert.rejects(refresh(none, repository), { code: 'update/unreachable' });
    await refresh([liar, endless, await serve(context, repository)], repository);
  }
});

test('older metadata than were seen are refused, by a node that restarted too', async (context) => {
  const repository = published();
  const old = new Map(repository.files);
  const address = await serve(context, repository);
  const node = sampleNode();
  repository.state.versions.timestamp =
    repository.state.versions.snapshot =
    repository.state.versions.images =
      5;
  repository.publish();
  await refresh(address, repository, node);
  for (const [path, bytes] of old) repository.files.set(path, bytes);
  await assert.rejects(refresh(address, repository, node), { code: 'update/metadata-rolled-back' });
  // A new timestamp over an old snapshot, and both new over old images.
  Object.assign(repository.state.versions, { timestamp: 6, snapshot: 4, images: 5 });
  repository.publish();
  await assert.rejects(refresh(address, repository, node), { code: 'update/metadata-rolled-back' });
  Object.assign(repository.state.versions, { timestamp: 7, snapshot: 7, images: 4 });
  repository.publish();
  await assert.rejects(refresh(address, repository, node), { code: 'update/metadata-rolled-back' });
  // A mirror that is behind does no harm when another one is not.
  const behind = await openLyingServer({ files: old });
  context.after(() => behind.close());
  Object.assign(repository.state.versions, { timestamp: 8, snapshot: 8, images: 8 });
  repository.publish();
  await refresh([behind.address, address], repository, node);
});

test('roots are followed from that of the image; keys that were changed begin anew; what /var says is checked', async (context) => {
  const repository = published();
  const address = await serve(context, repository);
  const node = sampleNode();
  repository.state.versions.timestamp = 1_000_000;
  repository.publish();
  await refresh(address, repository, node);
  // The timestamp key was stolen and its version run up; new keys, a new root, and counting starts again.
  repository.state.keys.timestamp = [sampleKey()];
  repository.state.keys.root = [sampleKey(), sampleKey()];
  repository.publishRoot();
  repository.state.versions.timestamp = 2;
  repository.publish();
  await refresh(address, repository, node);
  // The new root is remembered: a server that hides it cannot bring the stolen key back.
  assert.ok(await node.store.read('2.root.json'));
  repository.files.delete('metadata/2.root.json');
  await refresh(address, repository, node);
  // A root in /var that nobody signed counts for nothing.
  const foreign = sampleRepository();
  foreign.publishRoot();
  await node.store.write('2.root.json', foreign.files.get('metadata/2.root.json') ?? new Uint8Array());
  await assert.rejects(refresh(address, repository, node), { code: 'update/metadata-unsigned' });
});

test('a root that the old keys did not sign is refused', async (context) => {
  const repository = published();
  const address = await serve(context, repository);
  const stranger = [sampleKey(), sampleKey()];
  repository.state.keys.root = stranger;
  repository.publishRoot(stranger);
  await assert.rejects(refresh(address, repository), { code: 'update/metadata-unsigned' });
});

test('a clock years back counts as the time of the build, a clock years ahead is told', async (context) => {
  const repository = published();
  const address = await serve(context, repository);
  const year = 365 * DAY_MS;
  const built = Date.now();
  const behind = { ...sampleNode(built), nowMs: built - 20 * year, builtAtMs: built };
  assert.equal((await refresh(address, repository, behind)).clockBehind, true);
  repository.state.expiresAtMs.timestamp = built - DAY_MS;
  repository.state.versions.timestamp++;
  repository.publish();
  await assert.rejects(refresh(address, repository, { ...behind, store: memoryStore('') }), {
    code: 'update/metadata-expired',
  });
  const ahead = { ...sampleNode(built), nowMs: built + 20 * year };
  await assert.rejects(refresh(address, repository, ahead), {
    code: 'update/metadata-expired',
    message: /the node's time is 20[4-9]/,
  });
});

test('an image without a root of trust updates from nowhere', async (context) => {
  const repository = published();
  const address = await serve(context, repository);
  const { signal } = new AbortController();
  const fetcher = openFetcher({ addresses: [address], stallMs: 300, signal });
  await assert.rejects(openRepository({ sys: fakeSys({}), fetcher, store: memoryStore(''), signal }), {
    code: 'update/no-trusted-root',
  });
  fetcher.close();
});

test('a channel is fetched by its digest, and is itself', async (context) => {
  const repository = sampleRepository();
  const text = JSON.stringify({
    ...{ format: 1, name: 'plinth', channel: 'stable', architecture: 'x86-64' },
    ...{ releases: [], barriers: [], deadEnds: [], blocked: [] },
  });
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256').update(text).digest('hex');
  repository.put(channelTarget('stable'), Buffer.from(text), channelFile('stable', sha256));
  repository.publish();
  const { signal } = new AbortController();
  const fetcher = openFetcher({ addresses: [await serve(context, repository)], stallMs: 300, signal });
  context.after(() => fetcher.close());
  const sys = fakeSys({
    files: { [ROOT]: repository.trustedRoot },
    modifiedAtMs: { [ROOT]: 1 },
    nowMs: Date.now(),
  });
  const opened = await openRepository({ sys, fetcher, store: memoryStore(''), signal });
  assert.equal((await opened.channel('stable')).channel, 'stable');
  await assert.rejects(opened.channel('candidate'), { code: 'update/target-missing' });
});

/** The oracle: tuf-js with a folder of its own. */
async function openOracle(repository: SampleRepository, address: string) {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-tuf-'));
  await writeFile(join(folder, 'root.json'), repository.trustedRoot);
  return {
    async refresh(): Promise<boolean> {
      const updater = new Updater({
        ...{
          metadataDir: folder,
          metadataBaseUrl: `${address}metadata`,
          targetDir: folder,
          targetBaseUrl: `${address}targets`,
        },
        config: { fetchRetry: 0 },
      });
      try {
        return (await updater.getTargetInfo('plinth_2_x86-64.efi')) !== undefined;
      } catch {
        return false;
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const role = fc.constantFrom('timestamp', 'snapshot', 'targets', 'images' as const);
type Change = (repository: SampleRepository) => void;
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Change>(() => {}) },
  {
    weight: 1,
    arbitrary: role.map(
      (name): Change =>
        ({ state }) => {
          state.expiresAtMs[name] = Date.now() - DAY_MS;
        },
    ),
  },
  {
    weight: 1,
    arbitrary: role.map(
      (name): Change =>
        ({ state }) => {
          state.expiresAtMs[name] = Date.now() + DAY_MS;
        },
    ),
  },
  {
    weight: 1,
    arbitrary: role.map(
      (name): Change =>
        ({ state }) => {
          state.signers[name] = [sampleKey()];
        },
    ),
  },
  {
    weight: 2,
    arbitrary: role.map(
      (name): Change =>
        ({ state }) =>
          void delete state.signers[name],
    ),
  },
  {
    weight: 1,
    arbitrary: role.map(
      (name): Change =>
        ({ state }) => {
          state.versions[name] -= 19;
        },
    ),
  },
  {
    weight: 2,
    arbitrary: role.map(
      (name): Change =>
        (repository) => {
          repository.state.keys[name] = [sampleKey()];
          if (name !== 'images') repository.publishRoot();
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Change>((repository) => {
      repository.state.keys.root = [sampleKey(), sampleKey()];
      repository.publishRoot();
    }),
  },
);

test('over any history of a repository, plinthd believes what tuf-js believes', async () => {
  let believed = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
      const repository = published();
      const server = await openLyingServer({ files: repository.files });
      const oracle = await openOracle(repository, server.address);
      const node = sampleNode();
      try {
        // No version is ever given twice, not even by going back: of two documents of one version tuf-js keeps the one it has.
        for (const [step, apply] of changes.entries()) {
          for (const name of ['timestamp', 'snapshot', 'targets', 'images'] as const)
            repository.state.versions[name] = (step + 2) * 10;
          apply(repository);
          repository.publish();
          const mine = await refresh(server.address, repository, { ...node, nowMs: Date.now() }).then(
            (found) => (found.target('plinth_2_x86-64.efi').sizeBytes === file.length ? 'believed' : 'wrong'),
            (reason: Error) => reason.message,
          );
          const theirs = await oracle.refresh();
          assert.equal(mine === 'believed', theirs, `plinthd: ${mine}; tuf-js: ${theirs}`);
          if (theirs) believed++;
          else refused++;
        }
      } finally {
        await server.close();
        await oracle.remove();
      }
    }),
    { numRuns: 40 },
  );
  assert.ok(believed > 20 && refused > 20, `${believed} believed, ${refused} refused`);
});
