import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { type GetHotLayerResponseSchema, HotLayerPhase, HotLayerService } from '@plinth/api';
import { formatHotLayer, type HotLayer, hotLayerNames, parseHotLayer } from '@plinth/updates';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

type View = MessageInitShape<typeof GetHotLayerResponseSchema>;

const LAYER: HotLayer = {
  ...{ format: 1, name: 'hot-layer', architecture: 'x86-64', serial: 3 },
  base: { name: 'plinth', version: '1.4.2', rootHash: 'a'.repeat(64) },
  created: '2026-11-22T00:00:00.000Z',
  fixes: [{ package: 'libssl3t64', from: '3.5.7-1', to: '3.5.7-2' }],
  advisories: ['PLSA-2026-0001'],
  replaced: [{ path: '/usr/lib/x86_64-linux-gnu/libssl.so.3', before: 'b'.repeat(64) }],
  added: [],
};
const SHOWN = {
  ...{
    baseVersion: '1.4.2',
    baseRootHash: 'a'.repeat(64),
    serial: 3,
    advisories: ['PLSA-2026-0001'],
    sizeBytes: 1_200_000n,
  },
  fixes: [{ package: 'libssl3t64', fromVersion: '3.5.7-1', toVersion: '3.5.7-2' }],
  replacedPaths: ['/usr/lib/x86_64-linux-gnu/libssl.so.3'],
};

suite('hot layers, by commands', () => {
  let fleet: FakeFleet;
  /** What the node says, one after the other; the last stays. */
  let views: View[] = [];
  let got: { manifest: string; image: string; acts: string[] };
  const service: Partial<ServiceImpl<typeof HotLayerService>> = {
    getHotLayer: () => (views.length > 1 ? views.shift() : views[0]) ?? {},
    stageHotLayer: async (messages) => {
      for await (const { manifest, chunk } of messages) {
        got.manifest += Buffer.from(manifest).toString();
        got.image += Buffer.from(chunk).toString();
      }
      return { layer: SHOWN };
    },
    fetchHotLayer: () => ({ layer: SHOWN }),
    activateHotLayer: ({ serial }) => {
      got.acts.push(`activate ${serial}`);
      return {};
    },
    retireHotLayer: ({ serial }) => {
      got.acts.push(`retire ${serial}`);
      return {};
    },
  };

  before(async () => {
    fleet = await fakeFleet({ name: 'n1', more: [(router) => router.service(HotLayerService, service)] });
  });
  beforeEach(() => {
    got = { manifest: '', image: '', acts: [] };
  });
  after(() => fleet[Symbol.asyncDispose]());

  test('stage sends the image and the manifest that lies beside it', async () => {
    const { image, manifest } = hotLayerNames(LAYER);
    await writeFile(join(fleet.folder, image), 'the image');
    await writeFile(join(fleet.folder, manifest), formatHotLayer(LAYER));
    const said = await fleet.ok('hot-layer', 'stage', join(fleet.folder, image));
    assert.match(said, /Node "n1" has hot layer 3 for 1\.4\.2/);
    assert.deepEqual(parseHotLayer(got.manifest, 'sent'), LAYER);
    assert.equal(got.image, 'the image');
  });

  test('stage without a file has the node fetch the newest', async () => {
    assert.match(await fleet.ok('hot-layer', 'stage'), /Node "n1" has hot layer 3 for 1\.4\.2/);
    assert.equal(got.image, '');
  });

  test('a file that is no manifest is refused before the node is asked', async () => {
    const path = join(fleet.folder, 'bad.json');
    await writeFile(path, '{}');
    await fleet.refused(/hot-layer\/invalid/, 'hot-layer', 'stage', path, '--manifest', path);
    assert.equal(got.manifest, '');
  });

  test('activate follows the node to its end and shows what was restarted', async () => {
    views = [
      { phase: HotLayerPhase.NONE, staged: SHOWN },
      { phase: HotLayerPhase.ON_TRIAL, layer: SHOWN, busy: true },
      {
        ...{ phase: HotLayerPhase.ACTIVE, layer: SHOWN },
        report: { restarted: ['init.scope', 'systemd-resolved.service'], seen: 80 },
      },
    ];
    const said = await fleet.ok('hot-layer', 'activate');
    assert.deepEqual(got.acts, ['activate 3']);
    assert.match(said, /phase +active\n/);
    assert.match(said, /restarted +init\.scope, systemd-resolved\.service/);
    assert.match(said, /libssl3t64 +3\.5\.7-1 +3\.5\.7-2/);
    for (const line of said.split('\n')) assert.ok(line.length <= 100, line);
  });

  test('a layer that the node gave up is a failure with the reason of the node', async () => {
    const failure = {
      code: 'hot-layer/refused',
      message: 'Cannot merge it: Required key not available',
      serial: 3,
      at: { seconds: 5n },
    };
    views = [
      { phase: HotLayerPhase.NONE, staged: SHOWN },
      { phase: HotLayerPhase.NONE, staged: SHOWN, failure },
    ];
    await fleet.refused(/hot-layer\/failed.*Required key not available/s, 'hot-layer', 'activate');
  });

  test('nothing staged and nothing active is said before anything is asked for', async () => {
    views = [{ phase: HotLayerPhase.NONE }];
    for (const verb of ['activate', 'retire'])
      await fleet.refused(/hot-layer\/not-staged/, 'hot-layer', verb);
    assert.deepEqual(got.acts, []);
  });

  test('retire names the layer that is active', async () => {
    views = [{ phase: HotLayerPhase.ACTIVE, layer: SHOWN }, { phase: HotLayerPhase.NONE }];
    assert.match(await fleet.ok('hot-layer', 'retire'), /phase +none/);
    assert.deepEqual(got.acts, ['retire 3']);
  });

  test('get shows processes that still run replaced code, and why', async () => {
    const reason = 'its pod was given the /usr of the node; a pod made anew has the new files';
    const remaining = [{ pid: 77, process: 'nft', unit: '', podUid: '0123', paths: [], reason }];
    views = [{ phase: HotLayerPhase.ACTIVE, layer: SHOWN, report: { seen: 9, hidden: 1, remaining } }];
    const said = await fleet.ok('get', 'hot-layer');
    assert.match(said, /nft \(77\) +pod 0123 +its pod was given/);
    assert.match(said, /9 processes .*; 1 hidden/);
    const data = JSON.parse(await fleet.ok('get', 'hot-layer', '-o', 'json'));
    assert.equal(data.report.remaining[0].pid, 77);
  });
});
