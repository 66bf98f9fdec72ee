import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { findConfig, keepConfig } from './find-config.ts';

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
