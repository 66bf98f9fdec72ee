import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, suite, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { memoryStore, openFolder, type StateStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { findConfig, keepConfig } from './find-config.ts';
import { openUrlSource } from './sources/config-url.ts';

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
const volume = (name: string) =>
  zstdDecompressSync(readFileSync(new URL(`./drives/__fixtures__/${name}.img.zst`, import.meta.url)));

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

suite('a config drive as a source', () => {
  let folder: string;
  let store: StateStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-drive-'));
    store = await openFolder(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const machine = (name: string | undefined, more: Readonly<Record<string, string>> = {}) =>
    fakeSys({
      files: {
        '/sys/class/block/vda/size': '0',
        '/dev/vda': '',
        ...(name !== undefined && { '/sys/class/block/vdb/size': '0', '/dev/vdb': volume(name) }),
        ...more,
      },
    });

  test('is read by a node without a config, after what defines the machine', async () => {
    const found = await findConfig(machine('iso-localds'), store);
    assert.ok(found.ok);
    assert.deepEqual([found.source, found.config.machine.name], ['nocloud', 'drive-1']);
    assert.match(found.bytes.toString(), /^apiVersion: /);
    const defined = await findConfig(machine('iso-localds', { [FW_CFG]: 'kind: x\n' }), store);
    assert.ok(!defined.ok, 'what defines the machine decides, also when it is wrong');
    const openStack = await findConfig(machine('fat-nova'), store);
    assert.ok(openStack.ok && openStack.source === 'config-2');
  });

  test('is not taken while the server that the machine is told of is silent', async () => {
    const told = JSON.stringify({ url: 'https://localhost:1/x', authority: authority.certificatePem });
    const url = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config-url/raw';
    const network = { url: openUrlSource({ retryMs: 1 }) };
    const found = await findConfig(machine('iso-localds', { [url]: told }), store, network);
    assert.ok(!found.ok && found.cloudSilent);
  });

  test('is not looked at by a node that had a config, whatever becomes of that', async () => {
    const first = await findConfig(machine('iso-localds'), store);
    assert.ok(first.ok);
    await keepConfig(store, first);
    const later = await findConfig(machine('iso-nova'), store);
    assert.ok(later.ok && later.source === 'persisted' && later.config.machine.name === 'drive-1');
    await store.remove('machine-config');
    await store.write('config/state.json.unusable', Buffer.from('{'));
    const lost = await findConfig(machine('iso-nova'), store);
    assert.ok(!lost.ok && lost.code === 'agent/config-missing');
  });

  test('is not looked at by a node that cannot know whether it had one', async () => {
    const found = await findConfig(machine('iso-localds'), memoryStore('/var is on tmpfs'));
    assert.ok(!found.ok && found.code === 'agent/config-missing');
  });

  test('that is there and cannot be used is told, and not passed over', async () => {
    const bytes = Buffer.from(volume('iso-localds'));
    const at = bytes.indexOf('hostname: drive-1');
    bytes.write('hostnaam: drive-1', at);
    for (
      let again = bytes.indexOf('hostname: drive-1');
      again >= 0;
      again = bytes.indexOf('hostname: drive-1', again + 1)
    )
      bytes.write('hostnaam: drive-1', again);
    const sys = fakeSys({ files: { '/sys/class/block/sr0/size': '0', '/dev/sr0': bytes } });
    const found = await findConfig(sys, store);
    assert.ok(!found.ok);
    assert.match(
      found.problems.join('\n'),
      /nocloud drive sr0\), user-data: unknown key "hostnaam" at line 2, column 1/,
    );
  });
});
