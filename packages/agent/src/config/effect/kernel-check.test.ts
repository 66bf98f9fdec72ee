import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineConfig } from '@plinth/config';
import { runCheck } from '../../checks/check.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import { kernelCheck } from './kernel-check.ts';

const config: MachineConfig = {
  machine: { name: 'node-1' },
  api: { clientAuthorities: [] },
  sysctls: { settings: { 'vm.max_map_count': 262144, 'net.ipv4.tcp_rmem': [4096, 131072, 16777216] } },
  kernelModules: { load: [{ name: 'nbd' }] },
  bootstrapContainers: [],
  volumes: [],
};

const files = {
  '/proc/sys/vm/max_map_count': '262144\n',
  '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t16777216\n',
  '/proc/modules': 'nbd 65536 0 - Live 0x0\noverlay 200704 12 - Live 0x0\n',
};

async function verdict(seen: Readonly<Record<string, string>>, given = config) {
  const { verdict, observed } = await runCheck(
    kernelCheck(() => given),
    fakeSys({ files: seen }),
  );
  return `${verdict}: ${observed}`;
}

test('kernelCheck passes when the kernel has what the config says', async () => {
  assert.equal(await verdict(files), 'pass: all are in effect');
  const { sysctls: _, kernelModules: __, ...nothing } = config;
  assert.equal(await verdict({}, nothing), 'pass: none are given');
});

test('kernelCheck names what differs, what is not known and what is not loaded', async () => {
  const seen = { '/proc/sys/vm/max_map_count': '65530\n', '/proc/modules': 'overlay 200704 12 - Live 0x0\n' };
  assert.equal(
    await verdict(seen),
    'fail: net.ipv4.tcp_rmem is not known, not 4096 131072 16777216; vm.max_map_count is 65530, not 262144; nbd is not loaded',
  );
});

test('kernelCheck does not take a list it cannot read for an empty one', async () => {
  const { '/proc/modules': _, ...rest } = files;
  assert.equal(await verdict(rest), 'unknown: /proc/modules is not there');
});
