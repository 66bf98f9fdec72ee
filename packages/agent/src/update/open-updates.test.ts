import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bootEntryName } from '@plinth/updates';
import { type CheckResult, runCheck } from '../checks/check.ts';
import type { BootEnd } from '../machine/judge-boot-end.ts';
import type { AuditRecord } from '../server/audit.ts';
import { memoryStore, type StateStore } from '../sys/state-store.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { openUpdates, type UpdatesParts } from './open-updates.ts';
import { openStager } from './stage/open-stager.ts';
import { openUpdateStore } from './stage/update-store.ts';
import { fakeDisk, type Medium, sampleMedium } from './testing/fake-disk.ts';
import { sampleBlocks, sampleRelease } from './testing/sample-release.ts';

const [first, second] = await Promise.all([
  sampleRelease('1.0', sampleBlocks(Array.from({ length: 300 }, (_, index) => index))),
  sampleRelease('1.1', sampleBlocks(Array.from({ length: 300 }, (_, index) => index + 1))),
]);
const ROOT = { '1.0': 2, '1.1': 5 } as const;

/** A disk with 1.0, proven, and 1.1 with an entry of these counters. */
function mediumWith(counters: { readonly triesLeft: number; readonly triesDone: number }): Medium {
  const medium = sampleMedium(first, second);
  const uki = medium.esp.get(bootEntryName('1.1'));
  assert.ok(uki);
  medium.esp.delete(bootEntryName('1.1'));
  medium.esp.set(bootEntryName('1.1', counters), uki);
  return medium;
}

/** plinthd's updates in one boot, over bytes of a disk; until nothing is left to be decided. */
async function boot(
  medium: Medium,
  version: keyof typeof ROOT,
  options: {
    readonly files?: StateStore;
    readonly health?: CheckResult['verdict'];
    readonly upSeconds?: number;
    readonly end?: BootEnd['kind'];
    readonly uefi?: boolean;
  } = {},
) {
  const { files = memoryStore('a test'), health = 'pass', upSeconds = 60, uefi = true } = options;
  const { end: kind = 'watchdog' } = options;
  const over = new AbortController();
  const said: string[] = [];
  const asked: string[] = [];
  const audit: AuditRecord[] = [];
  const ended: string[] = [];
  const base = fakeSys({
    files: {
      '/proc/uptime': `${upSeconds}.0 1.0\n`,
      '/usr/lib/os-release': `IMAGE_VERSION=${version}\n`,
      ...(uefi && { '/sys/firmware/efi/fw_platform_size': '64\n' }),
      '/proc/net/route': 'enp1s0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\n',
    },
    addresses: ['10.0.2.15'],
  });
  const sys = {
    ...base,
    run: async (program: string, args: readonly string[]) => {
      asked.push([program, ...args].join(' '));
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  };
  const store = openUpdateStore(files);
  const disk = fakeDisk({ medium, booted: { rootNumber: ROOT[version], version } });
  const result = (id: string): CheckResult => ({
    ...{ id, verdict: health, critical: true, observed: health, expected: 'active' },
    ...{ source: 'a test', cause: '', fix: '' },
  });
  const parts: UpdatesParts = {
    ...{ sys, files, store, signal: over.signal },
    start: { bootId: `boot-of-${version}`, startId: `boot-of-${version}`, soft: false },
    startWays: { startWay: async () => ({ way: 'reboot', reasons: ['a test'] }) },
    layOutNextRoot: async () => {},
    stager: openStager({
      ...{ sys, store: files, updates: store, machine: async () => disk, signal: over.signal },
      kubernetesMinors: async () => [],
    }),
    console: {
      say: (line) => {
        said.push(line);
        // Decided: what goes on beside it would go on for ever.
        if (/proven and kept|node reboots/.test(line)) over.abort();
      },
    },
    policy: () => undefined,
    health: async () => ({ state: 'healthy', checks: [result('containerd'), result('runtime-socket')] }),
    integrity: async () => ({
      ...{ verdict: 'pass', mounts: [], pcrs: [], rootHash: '', layerRootHashes: [], observedAtMs: 0 },
      checks: [{ ...result('root'), verdict: 'pass' }],
    }),
    probe: {
      lookup: async () => ({ answered: true, addresses: [], code: '', known: true }),
      connect: async () => '',
      httpGet: async () => ({ status: 200, body: '' }),
    },
    kubernetesMinors: async () => [],
    pods: async () => [],
    assertBootable: async () => {},
    runContainer: async () => ({ reason: '', output: '' }),
  };
  const updates = openUpdates(parts);
  const machine = {
    ...{ current: () => undefined, ended: undefined, idle: async () => {} },
    begin: async () => assert.fail('nothing is asked for'),
  };
  const end = setTimeout(() => over.abort(), 1_000);
  await updates.live({
    machine,
    ...{ bootEnd: async () => ({ kind, ask: undefined, evidence: ['a test'] }) },
    endSystem: async (how) => void ended.push(how),
    audit: (record) => void audit.push(record),
    port: () => 7546,
  });
  clearTimeout(end);
  const check = await runCheck(updates.check, sys);
  return { said, asked, audit, ended, files, check, slots: await updates.describeSlots(), store };
}

suite('updates over the bytes of a disk', () => {
  test('a boot on trial sets its deadline, proves itself, and loses its counters on the ESP', async () => {
    const medium = mediumWith({ triesLeft: 2, triesDone: 1 });
    const { said, asked, check, slots, ended } = await boot(medium, '1.1');
    assert.deepEqual(said, [
      'update: version 1.1 is on trial, within 10 min',
      'update: version 1.1 is proven and kept',
    ]);
    assert.match(asked[0] ?? '', /list-boots|systemd-run .*--on-boot=630s/);
    assert.match(asked.at(-1) ?? '', /stop --no-block plinth-trial-armed\.timer/);
    assert.deepEqual([...medium.esp.keys()].sort(), [bootEntryName('1.0'), bootEntryName('1.1')]);
    assert.deepEqual([check.verdict, check.observed, ended], ['pass', '1.1', []]);
    assert.partialDeepStrictEqual(slots.slots.get('b'), {
      role: 'booted',
      health: 'proven',
      rootHash: second.rootHash,
    });
    assert.partialDeepStrictEqual(slots.slots.get('a'), {
      role: 'rollback',
      state: 'good',
      writeProtected: false,
    });
    assert.match(slots.whyNoUpdate.join(), /names no source/);
  });

  test('a machine that does not start by UEFI has no trials, and that is no fault of it', async () => {
    const { said, check, asked } = await boot(mediumWith({ triesLeft: 2, triesDone: 1 }), '1.1', {
      uefi: false,
    });
    assert.match(said.join('\n'), /^update: this machine starts without UEFI: .*it takes no updates$/);
    assert.deepEqual([check.verdict, check.observed, asked], ['pass', '1.1', []]);
  });

  test('the last try counts as a trial too', async () => {
    const medium = mediumWith({ triesLeft: 0, triesDone: 3 });
    const { said } = await boot(medium, '1.1');
    assert.match(said.at(-1) ?? '', /1\.1 is proven and kept/);
    assert.ok(medium.esp.has(bootEntryName('1.1')));
  });

  test('one that is sick past its deadline reboots; the version before says why, and blocks it', async () => {
    const medium = mediumWith({ triesLeft: 0, triesDone: 3 });
    const files = memoryStore('a test');
    const sick = await boot(medium, '1.1', { files, health: 'fail', upSeconds: 601 });
    assert.match(
      sick.said.at(-1) ?? '',
      /1\.1 is not healthy in time \(containerd, runtime-socket\): the node reboots/,
    );
    assert.deepEqual(sick.ended, ['reboot']);
    const { said, check, audit, store, slots } = await boot(medium, '1.0', { files });
    const why = 'its health contract did not hold within 10 min: containerd, runtime-socket';
    assert.match(said[0] ?? '', new RegExp(`fell back from 1\\.1 to 1\\.0: ${why}`));
    assert.deepEqual(check.verdict, 'fail');
    assert.match(check.observed, /^fell back from 1\.1 because its health contract did not hold/);
    assert.partialDeepStrictEqual(audit, [{ method: 'node.FellBack', arguments: 'from=1.1 to=1.0' }]);
    const { failed, fallBack } = await store.read();
    assert.deepEqual(
      failed.map(({ version, code }) => [version, code]),
      [['1.1', 'update/fell-back']],
    );
    assert.deepEqual(
      [fallBack?.code, fallBack?.checks.length, fallBack?.tries],
      ['update/contract-broken', 2, 3],
    );
    assert.partialDeepStrictEqual(slots.slots.get('b'), { role: '', health: 'failed here', state: 'bad' });
    // Once is enough.
    const again = await boot(medium, '1.0', { files });
    assert.deepEqual([again.said, again.audit], [[], []]);
  });

  test('one that never came to plinthd: the disk alone tells, with how the boot ended', async () => {
    const { said, store } = await boot(mediumWith({ triesLeft: 0, triesDone: 3 }), '1.0');
    assert.match(said[0] ?? '', /none of its 3 boots came as far .*; the watchdog started the machine anew/);
    assert.equal((await store.read()).fallBack?.code, 'update/boot-died');
    const early = await boot(mediumWith({ triesLeft: 0, triesDone: 3 }), '1.0', { end: 'reboot' });
    assert.match(early.said[0] ?? '', /: its kernel or its initrd ended them before \/var was mounted \[/);
  });

  test('a proven version that is sick is nobody’s trial: nothing reboots', async () => {
    const { said, ended } = await boot(sampleMedium(first, undefined), '1.0', {
      health: 'fail',
      upSeconds: 9_999,
    });
    assert.deepEqual([said, ended], [[], []]);
  });

  test('a new machine has nothing to go back to: no deadline, and it is kept once it works', async () => {
    const medium = sampleMedium(first, undefined);
    const uki = medium.esp.get(bootEntryName('1.0'));
    assert.ok(uki);
    medium.esp.clear();
    medium.esp.set(bootEntryName('1.0', { triesLeft: 2, triesDone: 1 }), uki);
    const sick = await boot(medium, '1.0', { health: 'fail', upSeconds: 9_999 });
    assert.deepEqual([sick.said.slice(0, 1), sick.ended], [['update: version 1.0 is on trial'], []]);
    assert.ok(sick.asked.every((line) => !line.includes('systemd-run')));
    await boot(medium, '1.0');
    assert.deepEqual([...medium.esp.keys()], [bootEntryName('1.0')]);
  });
});
