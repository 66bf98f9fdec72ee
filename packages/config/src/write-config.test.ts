import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allKinds, heldBy } from './machine-config.ts';
import { renderConfig } from './render-config.ts';
import { ACCESS, configs, documents, exampleConfig, MACHINE, parsed } from './testing/configs.ts';
import { writeConfig } from './write-config.ts';

test('reading what was written gives an equal config, and writing it again the same text', () => {
  fc.assert(
    fc.property(configs, (config) => {
      const text = writeConfig(config);
      const again = parsed(text);
      assert.deepEqual(again, config);
      assert.equal(writeConfig(again), text);
      assert.deepEqual(renderConfig(again), renderConfig(config));
    }),
  );
});

test('the examples of all kinds are one valid config that survives writing', () => {
  const config = exampleConfig();
  for (const kind of allKinds) assert.ok(heldBy(config, kind), kind.kind);
  assert.deepEqual(parsed(writeConfig(config)), config);
});

test('defaults are not written, and the order of documents and entries does not matter', () => {
  const cards = [
    { mac: '52:54:00:00:00:02', dhcp: true, addresses: [] },
    { mac: '52:54:00:00:00:01', dhcp: true, routes: [] },
  ];
  const one = parsed(documents(MACHINE, ACCESS, { kind: 'Network', interfaces: cards, hosts: [] }));
  const other = parsed(documents({ kind: 'Network', interfaces: cards.toReversed() }, ACCESS, MACHINE));
  assert.deepEqual(one, other);
  assert.match(
    writeConfig(one),
    /kind: Network\ninterfaces:\n {2}- mac: 52:54:00:00:00:01\n {4}dhcp: true\n {2}- mac: 52:54:00:00:00:02\n {4}dhcp: true\n$/,
  );
});
