import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareUapiVersions, PlinthError } from '@plinth/base';
import fc from 'fast-check';
import {
  formatHotLayer,
  type HotLayer,
  hotLayerManifestOf,
  hotLayerNames,
  hotLayerVersion,
  parseHotLayer,
} from './hot-layer.ts';
import { type HotLayerNode, judgeHotLayer } from './judge-hot-layer.ts';

const HASH = 'a'.repeat(64);
const layer = (changes: Partial<HotLayer> = {}): HotLayer => ({
  ...{ format: 1, name: 'hot-layer', architecture: 'x86-64', serial: 2 },
  base: { name: 'plinth', version: '1.4.2', rootHash: HASH },
  created: '2026-11-22T00:00:00.000Z',
  fixes: [{ package: 'libssl3t64', from: '3.5.7-1', to: '3.5.7-2' }],
  advisories: ['PLSA-2026-0001'],
  replaced: [{ path: '/usr/lib/x86_64-linux-gnu/libssl.so.3', before: HASH, after: 'b'.repeat(64) }],
  added: [],
  ...changes,
});
const node = (changes: Partial<HotLayerNode> = {}): HotLayerNode => ({
  booted: { name: 'plinth', version: '1.4.2', rootHash: HASH },
  highestSerials: new Map(),
  ...changes,
});
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'taken';
  } catch (reason) {
    assert.ok(reason instanceof PlinthError, String(reason));
    return reason.code;
  }
};

test('a manifest is read as it was written', () => {
  assert.deepEqual(parseHotLayer(formatHotLayer(layer()), 'm.json'), layer());
});

test('its version is newer than its base and than the layer before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 998 }), (serial) => {
      const [one, next] = [layer({ serial }), layer({ serial: serial + 1 })];
      assert.equal(compareUapiVersions(hotLayerVersion(one), one.base.version), 1);
      assert.equal(compareUapiVersions(hotLayerVersion(next), hotLayerVersion(one)), 1);
      assert.notEqual(hotLayerNames(one).image, hotLayerNames(next).image);
    }),
  );
});

test('the manifest lies beside the image, and is never the image itself', () => {
  const { image, manifest } = hotLayerNames(layer());
  assert.equal(hotLayerManifestOf(`out/${image}`), `out/${manifest}`);
  fc.assert(fc.property(fc.string(), (path) => hotLayerManifestOf(path) !== path));
});

test('paths outside of /usr, no fixes, unknown fields and huge lists are no manifest', () => {
  const bad: unknown[] = [
    layer({ replaced: [{ path: '/etc/passwd', before: HASH }] }),
    layer({ replaced: [{ path: '/usr/../etc/passwd', before: HASH }] }),
    layer({ replaced: [{ path: '/usr/a\nb', before: HASH }] }),
    layer({ replaced: [] }),
    layer({ fixes: [] }),
    layer({ serial: 0 }),
    { ...layer(), more: 1 },
    { ...layer(), replaced: Array.from({ length: 401 }, (_, at) => ({ path: `/usr/${at}`, before: HASH })) },
  ];
  for (const each of bad)
    assert.equal(
      codeOf(() => parseHotLayer(JSON.stringify(each), 'm')),
      'hot-layer/invalid',
    );
});

test('bytes of any kind are refused with a code, never with another error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => codeOf(() => parseHotLayer(text, 'm')) === 'hot-layer/invalid'),
  );
});

test('only a layer for exactly the image that runs is taken', () => {
  const { base } = layer();
  assert.equal(
    codeOf(() => judgeHotLayer(node(), layer())),
    'taken',
  );
  for (const other of [{ name: 'other' }, { version: '1.4.3' }, { rootHash: 'c'.repeat(64) }])
    assert.equal(
      codeOf(() => judgeHotLayer(node(), layer({ base: { ...base, ...other } }))),
      'hot-layer/wrong-base',
    );
});

test('no sequence of layers lowers the serial of a base or loses a fix of the active one', () => {
  const packages = ['a', 'b', 'c', 'd'];
  const one = fc.record({
    serial: fc.integer({ min: 1, max: 6 }),
    names: fc.subarray(packages, { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), (offered) => {
      let highest = 0;
      let active: HotLayer | undefined;
      for (const { serial, names } of offered) {
        const fixes = names.map((name) => ({ package: name, from: '1', to: '2' }));
        const next = layer({ serial, fixes });
        const highestSerials = new Map(highest > 0 ? [[HASH, highest]] : []);
        if (codeOf(() => judgeHotLayer(node({ highestSerials, active }), next)) !== 'taken') continue;
        assert.ok(serial >= highest);
        for (const fix of active?.fixes ?? []) assert.ok(names.includes(fix.package));
        if (serial === active?.serial) assert.deepEqual(next, active);
        [highest, active] = [Math.max(highest, serial), next];
      }
    }),
  );
});

test('what was retired cannot be brought back by an older layer, and the same one can', () => {
  const highestSerials = new Map([[HASH, 2]]);
  assert.equal(
    codeOf(() => judgeHotLayer(node({ highestSerials }), layer({ serial: 1 }))),
    'hot-layer/older',
  );
  assert.equal(
    codeOf(() => judgeHotLayer(node({ highestSerials }), layer({ serial: 2 }))),
    'taken',
  );
  const other = layer({ advisories: ['other'] });
  assert.equal(
    codeOf(() => judgeHotLayer(node({ highestSerials, active: layer() }), other)),
    'hot-layer/older',
  );
});
