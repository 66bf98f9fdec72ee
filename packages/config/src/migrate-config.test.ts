import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXAMPLE_CERTIFICATE } from './framework/example-certificate.ts';
import { migrateConfig } from './migrate-config.ts';
import { renderConfig } from './render-config.ts';
import { ACCESS, documents, MACHINE, parsed } from './testing/configs.ts';

const network = {
  interfaces: [{ mac: '52:54:00:0a:05:0b', addresses: ['10.5.0.11/24'], gateway: '10.5.0.1' }],
};
/** As release 0.1 wrote it. */
const old = {
  apiVersion: 'plinth.dev/v1alpha1',
  kind: 'MachineConfig',
  metadata: { name: 'node-1' },
  api: { clientAuthorities: [EXAMPLE_CERTIFICATE] },
  network,
};

test('migrateConfig splits the single document of 0.1 into the kinds of today', () => {
  const migrated = migrateConfig(Buffer.from(JSON.stringify(old)), 'old.yaml');
  assert.ok(migrated.ok);
  assert.deepEqual(
    [...migrated.value.matchAll(/^kind: (.*)$/gm)].map(([, kind]) => kind),
    ['Machine', 'ApiAccess', 'Network'],
  );
  const today = parsed(documents(MACHINE, ACCESS, { kind: 'Network', ...network }));
  assert.deepEqual(parsed(migrated.value), today);
  assert.deepEqual(parsed(JSON.stringify(old)), today);
  assert.deepEqual(renderConfig(parsed(JSON.stringify(old))), renderConfig(today));
});

test('migrateConfig leaves a config of today as it is written', () => {
  const text = documents(MACHINE, ACCESS);
  const once = migrateConfig(Buffer.from(text), 'a.yaml');
  assert.ok(once.ok);
  assert.deepEqual(migrateConfig(Buffer.from(once.value), 'b.yaml'), once);
});

test('an old document stands beside new ones, but says nothing twice', () => {
  const ntp = { kind: 'Network', ntp: { servers: ['10.5.0.2'] } };
  const { network: _, ...bare } = old;
  assert.deepEqual(parsed(documents(bare, ntp)).network?.ntp, { servers: ['10.5.0.2'] });
  const twice = migrateConfig(Buffer.from(documents(old, ntp)), 'old.yaml');
  assert.ok(!twice.ok);
  assert.match(twice.diagnostics[0]?.message ?? '', /a second Network, expected one document/);
  assert.equal(twice.diagnostics[0]?.span?.line, 3);
});

test('a mistake in an old document is told where it stands', () => {
  const wrong = migrateConfig(
    Buffer.from(`${JSON.stringify(old, null, 2).replace('node-1', 'node_1')}\n`),
    'old.yaml',
  );
  assert.ok(!wrong.ok);
  assert.deepEqual([wrong.diagnostics[0]?.span?.line, wrong.diagnostics[0]?.path], [5, '$.metadata.name']);
});
