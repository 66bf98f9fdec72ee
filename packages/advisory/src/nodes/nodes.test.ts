import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import type { BinaryComponent, Inventory } from '../model/index.ts';
import { storeInventory } from '../watch/index.ts';
import { applyHotLayer } from './apply-hot-layer.ts';
import { findPapers, type Papers } from './find-papers.ts';
import { gapsOf, groupNodes, layersOf } from './group-nodes.ts';
import type { NodeState } from './node-state.ts';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

function binary(name: string, version: string, more: Partial<BinaryComponent> = {}): BinaryComponent {
  return {
    ...{ name, version, architecture: 'amd64', source: name, sourceVersion: version.replace(/\+b\d+$/, '') },
    ...{ builtUsing: [], staticBuiltUsing: [], filesPresent: 'all' },
    ...{ provenance: { source: 'spdx', locator: 'x' }, ...more },
  };
}

function inventory(binaries: readonly BinaryComponent[], more: Partial<Inventory> = {}): Inventory {
  return {
    format: 1,
    subject: {
      ...{
        kind: 'release',
        name: 'Plinth',
        version: '1.0',
        architecture: 'amd64',
        distribution: 'debian 13',
      },
      ...{ codename: 'trixie', rootHash: A },
    },
    ...{ inputs: [], binaries, goPrograms: [], npmModules: [], gaps: [] },
    ...more,
  };
}

function state(more: Partial<NodeState> = {}): NodeState {
  return {
    ...{ node: 'n1', nodeId: '0'.repeat(32), askedAt: '2026-11-22T12:00:00Z', version: '1.0', rootHash: A },
    ...{
      integrity: { verdict: 'pass', notPassing: [] },
      kubernetes: [],
      layerRootHashes: [],
      hotLayer: 'none',
    },
    ...{ oldCode: 'unknown', oldProcesses: 0 },
    ...more,
  };
}

const layer = (from: string, to: string) => ({
  ...{ serial: 2, baseRootHash: A },
  fixes: [{ package: 'libx', fromVersion: from, toVersion: to }],
});

test('the versions of a hot layer count, those of rebuilds led to their source', () => {
  const applied = applyHotLayer(
    inventory([binary('libx', '1-1+b1'), binary('liby', '1-1')]),
    layer('1-1+b1', '1-2+b3'),
  );
  assert.deepEqual(
    applied.binaries.map(({ version, sourceVersion }) => [version, sourceVersion]),
    [
      ['1-2+b3', '1-2'],
      ['1-1', '1-1'],
    ],
  );
  assert.deepEqual(applied.unread, []);
});

test('what cannot be compared stays as in the image, and the scan is not complete', () => {
  const cases: (readonly [BinaryComponent, string])[] = [
    [binary('libx', '1-0'), '1-1'],
    [binary('libx', '1-1', { source: 'linux-signed-amd64' }), '1-1'],
    [binary('libx', '1:1-1', { sourceVersion: '1-1' }), '1:1-1'],
    [binary('other', '1-1'), '1-1'],
  ];
  for (const [one, from] of cases) {
    const applied = applyHotLayer(inventory([one]), layer(from, '9'));
    assert.deepEqual(applied.binaries, [one]);
    assert.match(applied.unread?.join() ?? '', /hot layer 2 brings libx, which cannot be compared/);
  }
});

test('property: a hot layer changes nothing but versions of packages that it names', () => {
  const names = fc.constantFrom('libx', 'liby', 'libz');
  const versions = fc.constantFrom('1-1', '1-1+b1', '1-2', '2:3-1');
  const binaries = fc.array(fc.tuple(names, versions).map(([name, version]) => binary(name, version)));
  const fixes = fc.array(fc.record({ package: names, fromVersion: versions, toVersion: versions }));
  fc.assert(
    fc.property(binaries, fixes, (each, all) => {
      const before = inventory(each);
      const after = applyHotLayer(before, { serial: 1, baseRootHash: A, fixes: all });
      assert.equal(after.binaries.length, each.length);
      for (const [index, now] of after.binaries.entries()) {
        const was = each[index];
        assert.deepEqual(
          { ...now, version: '', sourceVersion: '' },
          { ...was, version: '', sourceVersion: '' },
        );
        if (now.version !== was?.version)
          assert.ok(all.some((fix) => fix.package === now.name && fix.toVersion === now.version));
      }
    }),
  );
});

test('property: each node with papers is in one group, with nodes of its root hash and hot layer alone', () => {
  const papers = (rootHash: string): Papers => ({
    ...{
      kind: 'release',
      name: rootHash.slice(0, 2),
      rootHash,
      version: '1.0',
      path: '/x',
      read: async () => inventory([]),
    },
  });
  const known = new Map([A, B].map((hash) => [hash, papers(hash)]));
  const states = fc
    .array(
      fc.record({
        rootHash: fc.constantFrom(A, B, 'c'.repeat(64), ''),
        hotLayer: fc.constantFrom('none' as const, 'unknown' as const, layer('1', '2'), {
          ...layer('1', '2'),
          serial: 3,
        }),
      }),
    )
    .map((all) => all.map((each, index) => state({ ...each, node: `n${index}` })));
  fc.assert(
    fc.property(states, (all) => {
      const groups = groupNodes(all, known);
      const grouped = groups.flatMap(({ nodes }) => nodes).sort();
      const expected = all.filter(({ rootHash }) => known.has(rootHash)).map(({ node }) => node);
      assert.deepEqual(grouped, expected.sort());
      for (const { papers: own, layer: merged, nodes } of groups)
        for (const { rootHash, hotLayer, node } of all) {
          if (!nodes.includes(node)) continue;
          assert.equal(rootHash, own.rootHash);
          // A layer of another image is never counted.
          if (merged) assert.deepEqual([hotLayer, merged.baseRootHash], [merged, rootHash]);
        }
      for (const one of all)
        if (!known.has(one.rootHash)) assert.notDeepEqual(gapsOf(one, known.get(one.rootHash)), []);
    }),
  );
});

test('a sound node has no gap; a Kubernetes layer, another version and half-known integrity have one each', () => {
  const own: Papers = {
    kind: 'release',
    name: 'p',
    rootHash: A,
    version: '1.0',
    path: '/x',
    read: async () => inventory([]),
  };
  assert.deepEqual(gapsOf(state(), own), []);
  for (const [more, pattern] of [
    [{ version: '1.1' }, /calls itself 1\.1, the papers of its root hash say 1\.0/],
    [{ kubernetes: ['1.37.1'] }, /Kubernetes layer 1\.37\.1 was not judged: .*older plinthd/],
    [
      { kubernetes: ['1.37.1'], layerRootHashes: [B] },
      /no papers of that version have a root hash that it runs \(bbbb/,
    ],
    [{ kubernetes: 'unknown' }, /which Kubernetes layer/],
    [{ integrity: { verdict: 'unknown', notPassing: ['tpm'] } }, /not fully known \(tpm\)/],
    [{ hotLayer: 'unknown' }, /whether a hot layer is merged is unknown/],
  ] as const) {
    const gaps = gapsOf(state(more as Partial<NodeState>), own);
    assert.equal(gaps.length, 1);
    assert.match(gaps[0] ?? '', pattern);
  }
});

test('a Kubernetes layer is judged by papers of its own root hash; one that is held no more merged is told', async () => {
  const [OLD, NEW] = ['1'.repeat(64), '2'.repeat(64)];
  const papers = (kind: Papers['kind'], rootHash: string, version: string): [string, Papers] => [
    rootHash,
    { kind, name: `${kind} ${version}`, rootHash, version, path: '/x', read: async () => inventory([]) },
  ];
  const known = new Map([
    papers('release', A, '1.0'),
    papers('layer', OLD, '1.36.4'),
    papers('layer', NEW, '1.37.1'),
  ]);
  const of = (node: string, kubernetes: string[], layerRootHashes: string[]) =>
    state({ node, kubernetes, layerRootHashes });
  const nodes = [of('n1', ['1.37.1'], [NEW]), of('n2', ['1.37.1'], [OLD, NEW]), of('n3', ['1.37.1'], [B, A])];
  assert.deepEqual(
    groupNodes(nodes, known).map(({ papers: own, nodes: on }) => [own.name, on]),
    [
      ['release 1.0', ['n1', 'n2', 'n3']],
      ['layer 1.37.1', ['n1', 'n2']],
      ['layer 1.36.4', ['n2']],
    ],
  );
  const gaps = nodes.map((each) => gapsOf(each, known.get(A), layersOf(each, known)).join());
  assert.equal(gaps[0], '');
  assert.match(gaps[1] ?? '', /^it still holds layer 1\.36\.4, which is merged no more/);
  // The root hash of an image is none of a layer, whatever papers there are.
  assert.match(gaps[2] ?? '', /^its Kubernetes layer 1\.37\.1 was not judged: no papers/);
});

test('papers are found in releases and in what a watch keeps; damage is a gap and stops nothing', async () => {
  const folder = await scratchFolder('papers');
  const manifest = (rootHash: string) =>
    JSON.stringify({ name: 'Plinth', version: '1.0', architecture: 'x86-64', rootHash });
  for (const [path, text] of [
    ['out/one/p.manifest.json', manifest(A)],
    ['out/broken/p.manifest.json', '{"name":'],
    [
      'out/lying/p.manifest.json',
      JSON.stringify({ name: 'x', version: '1', architecture: 'y', rootHash: '../x' }),
    ],
    ['out/not-a-release/readme', ''],
    ['kept/inventories/bad.json', '[]'],
  ] as const) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const kept = inventory([binary('libx', '1-1')]);
  const ofB = { ...kept, subject: { ...kept.subject, rootHash: B }, files: ['/usr/bin/x'] };
  await storeInventory(join(folder, 'kept', 'inventories'), 'plinth_2.0_x86-64', ofB);
  await storeInventory(join(folder, 'kept', 'inventories'), 'plinth_other_x86-64', kept);
  const { byRootHash, gaps } = await findPapers(['out', 'kept', 'none'].map((name) => join(folder, name)));
  assert.deepEqual([...byRootHash.keys()].sort(), [A, B]);
  assert.equal(byRootHash.get(A)?.path, join(folder, 'out', 'one'));
  const read = await byRootHash.get(B)?.read();
  assert.deepEqual(read?.binaries, kept.binaries);
  assert.match(read?.gaps.join() ?? '', /no list of files/);
  for (const pattern of [
    /broken was not used/,
    /lying was not used/,
    /bad\.json was not used/,
    /none was not used/,
    /both claim the root hash/,
  ])
    assert.match(gaps.join('\n'), pattern);
});
