import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { findConfig, keepConfig } from './find-config.ts';
import type { Asked } from './sources/ask-service.ts';
import { type MetadataSource, openMetadataSource } from './sources/metadata-source.ts';
import { metadataServices } from './sources/services.ts';
import { startMetadata } from './sources/testing/fake-metadata.ts';
import { chooseConfig } from './transaction/choose-config.ts';
import { hashOf, openConfigStore } from './transaction/config-store.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

function config(name = 'node-1'): string {
  const indented = authority.certificatePem.trim().split('\n').join('\n    ');
  return `apiVersion: plinth.dev/v1alpha1
kind: Machine
name: ${name}
---
apiVersion: plinth.dev/v1alpha1
kind: ApiAccess
clientAuthorities:
  - |
    ${indented}
`;
}

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
const DMI = '/sys/firmware/dmi/tables/DMI';

function smbios(text: string): Buffer {
  const strings = `something else\0dev.plinth/machine-config=${Buffer.from(text).toString('base64')}\0\0`;
  return Buffer.concat([
    Buffer.from([11, 5, 0, 0, 2]),
    Buffer.from(strings),
    Buffer.from([127, 4, 1, 0, 0, 0]),
  ]);
}

test('findConfig prefers fw_cfg, then SMBIOS, then the kept copy', async () => {
  const store = memoryStore('a test');
  await store.write('machine-config', Buffer.from(config('kept')));
  const files = { [FW_CFG]: config('fw'), [DMI]: smbios(config('smb')) };
  const names: string[] = [];
  for (const sources of [files, { [DMI]: files[DMI] }, {}]) {
    const found = await findConfig(fakeSys({ files: sources }), store);
    assert.ok(found.ok);
    names.push(`${found.source} ${found.config.machine.name}`);
  }
  assert.deepEqual(names, ['fw_cfg fw', 'smbios smb', 'persisted kept']);
});

test('findConfig does not hide a wrong config behind an older good one', async () => {
  const store = memoryStore('a test');
  await store.write('machine-config', Buffer.from(config('kept')));
  const found = await findConfig(fakeSys({ files: { [FW_CFG]: config().replace('kind', 'kinds') } }), store);
  assert.ok(!found.ok);
  assert.match(found.problems.join('\n'), /unknown key "kinds" at line 2, column 1.*did you mean "kind"/);
});

test('findConfig says so when there is none', async () => {
  const found = await findConfig(fakeSys({}), memoryStore('a test'));
  assert.ok(!found.ok && found.code === 'agent/config-missing');
});

test('keepConfig stores what the machine gave, byte for byte', async () => {
  const store = memoryStore('a test');
  const found = await findConfig(fakeSys({ files: { [FW_CFG]: config('fw') } }), store);
  assert.ok(found.ok);
  await keepConfig(store, found);
  assert.equal((await store.read('machine-config'))?.toString(), config('fw'));
});

const [aws] = metadataServices;
assert.ok(aws);

/** A cloud that answers as told, and whether it was asked in a hurry. */
function cloud(asked: Asked): MetadataSource & { readonly hurries: boolean[] } {
  const hurries: boolean[] = [];
  return {
    hurries,
    read: async (hurry) => {
      hurries.push(hurry);
      return { service: aws as NonNullable<typeof aws>, asked };
    },
  };
}

function cloudConfig(name: string): Buffer {
  const carried = Buffer.from(config().slice(config().indexOf('\n---\n') + 5)).toString('base64');
  return Buffer.from(
    `#cloud-config\nhostname: ${name}\nwrite_files: [{path: /etc/plinth/machine-config.yaml, encoding: b64, content: "${carried}"}]\n`,
  );
}

test('findConfig asks the definition of the machine, then the cloud, then the kept copy', async () => {
  const store = memoryStore('a test');
  await store.write('machine-config', Buffer.from(config('kept')));
  const given = cloud({ kind: 'given', bytes: cloudConfig('cloudy') });
  const names: string[] = [];
  for (const [files, metadata] of [
    [{ [FW_CFG]: config('fw') }, given],
    [{}, given],
    [{}, cloud({ kind: 'none' })],
    [{}, undefined],
  ] as const) {
    const found = await findConfig(fakeSys({ files }), store, { metadata });
    assert.ok(found.ok);
    names.push(`${found.source} ${found.config.machine.name}`);
  }
  assert.deepEqual(names, ['fw_cfg fw', 'aws cloudy', 'persisted kept', 'persisted kept']);
  assert.deepEqual(given.hurries, [true]);
});

test('a silent cloud holds up nobody who has a config, and is told to everybody', async () => {
  const store = memoryStore('a test');
  const silent = cloud({ kind: 'unanswered', why: 'there is no route to it yet' });
  const none = await findConfig(fakeSys({}), store, { metadata: silent });
  assert.ok(!none.ok && none.code === 'agent/config-missing');
  assert.match(none.problems.join('\n'), /Amazon EC2 gives no user data: there is no route to it yet/);
  await store.write('machine-config', Buffer.from(config('kept')));
  const kept = await findConfig(fakeSys({}), store, { metadata: silent });
  assert.ok(kept.ok && kept.source === 'persisted');
  assert.match(kept.unanswered ?? '', /no route/);
  assert.deepEqual(silent.hurries, [false, true]);
});

test('wrong user data of a cloud is told with its place, and not hidden by the kept copy', async () => {
  const store = memoryStore('a test');
  await store.write('machine-config', Buffer.from(config('kept')));
  for (const [asked, said] of [
    [
      { kind: 'given', bytes: Buffer.from('#cloud-config\nhostname: a\nruncmd: [b]\n') },
      /"runcmd" cannot be honoured.*line 3, column 1 \(\$\.runcmd\)/,
    ],
    [{ kind: 'given', bytes: Buffer.from('#!/bin/sh\n') }, /a script/],
    [{ kind: 'unusable', why: 'what it gives is no base64, expected base64' }, /\(aws\): .*no base64/],
  ] as const) {
    const found = await findConfig(fakeSys({}), store, { metadata: cloud(asked) });
    assert.ok(!found.ok && found.code === 'config/invalid');
    assert.match(found.problems.join('\n'), said);
  }
});

const alone = async () => undefined;

test('user data is kept as documents, and known again by what was given', async () => {
  const store = memoryStore('a test');
  const metadata = cloud({ kind: 'given', bytes: cloudConfig('cloudy') });
  const sys = fakeSys({ files: { '/proc/uptime': '1.0 1.0', '/proc/sys/kernel/random/boot_id': 'boot' } });
  const found = await findConfig(sys, store, { metadata });
  assert.ok(found.ok);
  assert.equal(found.givenHash, hashOf(cloudConfig('cloudy')));
  await keepConfig(store, found);
  assert.match((await store.read('machine-config'))?.toString() ?? '', /^apiVersion: [\s\S]*name: cloudy/);
  const first = await chooseConfig(sys, openConfigStore(store), found, alone);
  assert.equal(first?.state.provisioned?.hash, found.givenHash);
  // Another release may write the same user data in other words: that is no news.
  const reworded = { ...found, bytes: Buffer.concat([Buffer.from('# another release\n'), found.bytes]) };
  const again = await chooseConfig(sys, openConfigStore(store), reworded, alone);
  assert.equal(again?.state.current, 1);
  const other = cloud({ kind: 'given', bytes: cloudConfig('renamed') });
  const changed = await chooseConfig(
    sys,
    openConfigStore(store),
    await findConfig(sys, store, { metadata: other }),
    alone,
  );
  assert.equal(changed?.config.machine.name, 'renamed');
  assert.equal(changed?.state.current, 2);
});

test('a machine whose firmware names a cloud comes up with its user data, over the wire', async () => {
  await using fake = await startMetadata(aws as NonNullable<typeof aws>, {
    userData: cloudConfig('cloudy'),
    troubles: [{ status: 503 }, 'hangs up'],
  });
  const sys = fakeSys({ files: { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n' } });
  const metadata = openMetadataSource(sys, { services: [fake.service], retryMs: 1 });
  const found = await findConfig(sys, memoryStore('a test'), { metadata });
  assert.ok(found.ok && found.source === 'aws' && found.config.machine.name === 'cloudy');
});
