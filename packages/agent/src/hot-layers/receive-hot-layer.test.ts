import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { StageHotLayerRequestSchema } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { scratchFolder } from '@plinth/host/testing';
import { formatHotLayer, type HotLayer } from '@plinth/updates';
import fc from 'fast-check';
import { fakeSys } from '../testing/fake-sys.ts';
import { layerOf } from './hot-layer-state.ts';
import { layerOfSerial } from './model-node.testing.ts';
import { receiveHotLayer } from './receive-hot-layer.ts';

type Message = MessageInitShape<typeof StageHotLayerRequestSchema>;

const scratch = await scratchFolder('receive-hot');
const image = Buffer.from('the image of a layer');
const sha256 = createHash('sha256').update(image).digest('hex');
const manifest = Buffer.from(formatHotLayer(layerOfSerial(1)));
const first: Message = { manifest, sha256, sizeBytes: BigInt(image.length) };

async function* messages(...all: readonly Message[]) {
  for (const each of all) yield create(StageHotLayerRequestSchema, each);
}

async function receive(
  stream: readonly Message[],
  judge: (layer: HotLayer) => Promise<void> = async () => {},
  freeBytes = 1e12,
) {
  const folder = await mkdtemp(join(scratch, 'case-'));
  const stored = receiveHotLayer(
    fakeSys({ usage: { availableBytes: freeBytes } }),
    messages(...stream),
    judge,
    folder,
  );
  return {
    folder,
    code: await stored.then(
      () => 'stored',
      (reason: unknown) => (reason instanceof PlinthError ? reason.code : String(reason)),
    ),
    stored,
  };
}

suite('a hot layer that a client sends', () => {
  test('is stored whatever the pieces of manifest and image are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 30 }),
        async (ofManifest, ofImage) => {
          const stream: Message[] = [];
          for (let at = 0; at < manifest.length; at += ofManifest)
            stream.push({ ...(at === 0 && first), manifest: manifest.subarray(at, at + ofManifest) });
          for (let at = 0; at < image.length; at += ofImage)
            stream.push({ chunk: image.subarray(at, at + ofImage) });
          const { folder, stored } = await receive(stream);
          assert.deepEqual(layerOf(await stored), layerOfSerial(1));
          assert.deepEqual(await readFile(join(folder, `${sha256}.raw`)), image);
        },
      ),
      { numRuns: 40 },
    );
  });

  const bad: readonly (readonly [what: string, stream: readonly Message[], code: string])[] = [
    ['nothing', [], 'hot-layer/invalid'],
    ['no manifest', [{ ...first, manifest: new Uint8Array() }, { chunk: image }], 'hot-layer/invalid'],
    [
      'a manifest without end',
      Array.from({ length: 7 }, () => ({ ...first, manifest: Buffer.alloc(40_000, ' ') })),
      'hot-layer/invalid',
    ],
    ['other bytes', [first, { chunk: Buffer.from('the image of a Layer') }], 'hot-layer/invalid'],
    ['too little', [first, { chunk: image.subarray(1) }], 'hot-layer/invalid'],
    ['too much', [first, { chunk: image }, { chunk: image }], 'hot-layer/invalid'],
    ['no digest', [{ ...first, sha256: '../x' }, { chunk: image }], 'hot-layer/invalid'],
    ['a huge size', [{ ...first, sizeBytes: 2n ** 40n }, { chunk: image }], 'hot-layer/invalid'],
    ['a size of nothing', [{ ...first, sizeBytes: 0n }, { chunk: image }], 'hot-layer/invalid'],
  ];
  for (const [what, stream, expected] of bad)
    test(`${what}: refused, and nothing is left`, async () => {
      const { folder, code } = await receive(stream);
      assert.equal(code, expected);
      assert.deepEqual(await readdir(folder), []);
    });

  test('a full disk, and a layer this node must not take, are refused before a byte of the image', async () => {
    assert.equal((await receive([first, { chunk: image }], undefined, 1)).code, 'hot-layer/space');
    let pulled = 0;
    const counting = (async function* () {
      for await (const message of messages(first, { chunk: image })) {
        pulled++;
        yield message;
      }
    })();
    const judge = async () => {
      throw new PlinthError('hot-layer/older', 'Cannot use it: it is old, expected a newer one');
    };
    await assert.rejects(receiveHotLayer(fakeSys({}), counting, judge, join(scratch, 'never')));
    assert.ok(pulled <= 2);
    await assert.rejects(readdir(join(scratch, 'never')));
  });
});
