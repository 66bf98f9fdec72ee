import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { StageLayerRequestSchema } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { fakeSys } from '../../testing/fake-sys.ts';
import { compareKubernetesVersions } from '../kubernetes-version.ts';
import { EXTENSION_RELEASE } from '../paths.ts';
import { renderChoice } from './choose-layer.ts';
import { chosenLayer, listLayers } from './layer-store.ts';
import { receiveLayer } from './receive-layer.ts';
import { stageLayer } from './stage-layer.ts';

let root = '';
let folder = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'plinth-layers-'));
});
after(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'case-'));
});

const roomy = fakeSys({ usage: { availableBytes: 1e12 } });

async function* pieces(data: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += sizeBytes) yield data.subarray(at, at + sizeBytes);
}

function announce(data: Uint8Array, changes = {}) {
  const sha256 = createHash('sha256').update(data).digest('hex');
  return { version: '1.37.1', sizeBytes: data.length, sha256, ...changes };
}

test('a layer is stored as it was sent, whatever its pieces are', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 5000 }),
      fc.integer({ min: 1, max: 999 }),
      async (data, size) => {
        await stageLayer(roomy, announce(data), pieces(data, size), folder);
        assert.deepEqual(await readFile(join(folder, 'kubernetes-1.37.1.raw')), Buffer.from(data));
        assert.deepEqual(await readdir(folder), ['kubernetes-1.37.1.raw']);
      },
    ),
    { numRuns: 30 },
  );
});

const data = Buffer.from('a layer');
const other = Buffer.from('b layer');
async function* breaksOff(): AsyncGenerator<Uint8Array> {
  yield data.subarray(0, 3);
  throw new Error('the client is gone');
}

const bad: readonly (readonly [string, string, () => Promise<void>])[] = [
  [
    'another content',
    'kubernetes/layer-invalid',
    () => stageLayer(roomy, announce(data), pieces(other, 4), folder),
  ],
  [
    'too little',
    'kubernetes/layer-invalid',
    () => stageLayer(roomy, announce(data), pieces(data.subarray(1), 4), folder),
  ],
  [
    'too much',
    'kubernetes/layer-invalid',
    () => stageLayer(roomy, announce(data), pieces(Buffer.concat([data, data]), 4), folder),
  ],
  [
    'no version',
    'kubernetes/layer-invalid',
    () => stageLayer(roomy, announce(data, { version: '../x' }), pieces(data, 4), folder),
  ],
  [
    'no digest',
    'kubernetes/layer-invalid',
    () => stageLayer(roomy, announce(data, { sha256: '' }), pieces(data, 4), folder),
  ],
  [
    'a size of nothing',
    'kubernetes/layer-invalid',
    () => stageLayer(roomy, announce(data, { sizeBytes: 0 }), pieces(data, 4), folder),
  ],
  [
    'a huge size',
    'kubernetes/layer-invalid',
    () => stageLayer(roomy, announce(data, { sizeBytes: 2 ** 40 }), pieces(data, 4), folder),
  ],
  [
    'no room',
    'kubernetes/space',
    () => stageLayer(fakeSys({ usage: { availableBytes: 1000 } }), announce(data), pieces(data, 4), folder),
  ],
  ['a broken stream', '', () => stageLayer(roomy, announce(data), breaksOff(), folder)],
];

for (const [what, code, send] of bad) {
  test(`${what}: nothing is left, and what was there stays`, async () => {
    await writeFile(join(folder, 'kubernetes-1.37.1.raw'), 'before');
    await assert.rejects(send(), (reason) => (reason instanceof PlinthError ? reason.code : '') === code);
    assert.deepEqual(await readdir(folder), ['kubernetes-1.37.1.raw']);
    assert.equal(await readFile(join(folder, 'kubernetes-1.37.1.raw'), 'utf8'), 'before');
  });
}

test('layers are listed newest first, from drives and staged files', async () => {
  const places = { drives: join(folder, 'by-id'), staged: join(folder, 'layers') };
  await mkdir(places.drives);
  await mkdir(places.staged);
  await writeFile(join(folder, 'disk'), 'four');
  for (const name of [
    'virtio-kubernetes-1.36.4',
    'virtio-kubernetes-1.36.4-part1',
    'virtio-other',
    'virtio-kubernetes-1.100.0',
  ])
    await symlink(join(folder, 'disk'), join(places.drives, name));
  await writeFile(join(places.staged, 'kubernetes-1.37.1.raw'), 'staged');
  await writeFile(join(places.staged, '.kubernetes-1.38.0.tmp'), 'half');
  const sys = fakeSys({ files: { [EXTENSION_RELEASE]: 'ID=plinth\nIMAGE_VERSION=1.37.1\n' } });
  const layers = await listLayers(sys, places);
  assert.deepEqual(
    layers.map(({ version, source, active, sizeBytes }) => [version, source, active, sizeBytes]),
    [
      ['1.100.0', 'drive', false, 4],
      ['1.37.1', 'staged', true, 6],
      ['1.36.4', 'drive', false, 4],
    ],
  );
  assert.deepEqual(await listLayers(sys, { drives: join(folder, 'x'), staged: join(folder, 'y') }), []);
  // The same version on both: the link says which of them is merged.
  const chosen = join(folder, 'extensions');
  await mkdir(chosen);
  await writeFile(join(places.staged, 'kubernetes-1.36.4.raw'), 'copy');
  await symlink(join(places.staged, 'kubernetes-1.36.4.raw'), join(chosen, 'kubernetes.raw'));
  const merged = fakeSys({ files: { [EXTENSION_RELEASE]: 'IMAGE_VERSION=1.36.4\n' } });
  const active = (await listLayers(merged, { ...places, chosen })).filter((layer) => layer.active);
  assert.deepEqual(
    active.map(({ version, source }) => [version, source]),
    [['1.36.4', 'staged']],
  );
});

test('versions are ordered by number', () => {
  const version = fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99));
  fc.assert(
    fc.property(version, version, (a, b) => {
      const first = a.findIndex((part, index) => part !== b[index]);
      const expected = first < 0 ? 0 : Math.sign((a[first] ?? 0) - (b[first] ?? 0));
      assert.equal(Math.sign(compareKubernetesVersions(a.join('.'), b.join('.'))), expected);
    }),
  );
});

const noTmpfiles =
  spawnSync('systemd-tmpfiles', ['--version']).status !== 0 && 'there is no systemd-tmpfiles here';

test('systemd-tmpfiles leaves exactly the chosen link', { skip: noTmpfiles }, async () => {
  const extensions = join(folder, 'extensions');
  const config = join(folder, 'layer.conf');
  const choices = [
    { source: 'drive', path: '/dev/disk/by-id/virtio-kubernetes-1.36.4' },
    { source: 'drive', path: '/dev/disk/by-id/virtio-kubernetes-1.37.1' },
    { source: 'staged', path: '/var/lib/plinth/layers/kubernetes-1.37.1.raw' },
    undefined,
    { source: 'staged', path: '/var/lib/plinth/layers/kubernetes-1.38.0.raw' },
    { source: 'drive', path: '/dev/disk/by-id/virtio-kubernetes-1.37.1' },
  ] as const;
  for (const choice of choices) {
    await writeFile(config, renderChoice(choice, extensions));
    const { status, stderr } = spawnSync('systemd-tmpfiles', ['--create', '--remove', config], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(await chosenLayer(extensions), choice);
    assert.equal((await readdir(extensions)).length, choice ? 1 : 0);
    if (choice?.source === 'drive') assert.equal(await readlink(join(extensions, 'kubernetes')), choice.path);
  }
});

test('a stream of the API stores a layer, one at a time', async () => {
  const listed = async () => listLayers(roomy, { drives: join(folder, 'none'), staged: folder });
  const receive = receiveLayer({ sys: roomy, layers: listed }, folder);
  const message = (changes: MessageInitShape<typeof StageLayerRequestSchema>) =>
    create(StageLayerRequestSchema, changes);
  let proceed = () => {};
  const held = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  async function* stream() {
    const { version, sizeBytes, sha256 } = announce(data);
    yield message({ version, sizeBytes: BigInt(sizeBytes), sha256, chunk: data.subarray(0, 2) });
    await held;
    yield message({ chunk: data.subarray(2) });
  }
  async function* nothing() {}
  const first = receive(stream());
  await assert.rejects(
    receive(stream()),
    (reason) => reason instanceof PlinthError && reason.code === 'kubernetes/busy',
  );
  proceed();
  const { version, source, sizeBytes } = await first;
  assert.deepEqual([version, source, sizeBytes], ['1.37.1', 'staged', data.length]);
  await assert.rejects(
    receive(nothing()),
    (reason) => reason instanceof PlinthError && reason.code === 'kubernetes/layer-invalid',
  );
});
