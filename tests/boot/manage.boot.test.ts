import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import {
  ConfigMode,
  ConfigOutcome,
  DiskVerdict,
  HealthState,
  type LogEntry,
  type NodeClient,
  Verdict,
} from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import type { ExtraDrive } from '@plinth/local';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { settledHealth, verdictOf } from '../testkit/node-answers.ts';
import { joinConfig } from '../testkit/owner.ts';

// What a node tells about itself and how its config is changed, asked of the very image. What a cluster adds to it is
// seen by the tests of clusters.

/** A card of its own, whose cable leads nowhere. */
const CARD = { group: '239.255.78.1', port: 21_078, mac: '52:54:00:0a:05:0c' } as const;
const NODE = 'manage';
const [GIVEN, ADDED, CUT] = ['10.78.0.11', '10.78.0.12', '10.78.0.13'];
const VLAN = '10.79.0.11';
const POLL_MS = 1_000;
/** What a change leads to is seen when the daemons have done it. */
const PATIENCE = { patienceMs: 180_000, everyMs: POLL_MS };
const PCAPNG_MAGIC = 0x0a0d0d0a;
const TEN_SECONDS = { seconds: 10n, nanos: 0 };

/** Drives that answer when they are asked for their health, by QEMU's own controllers. */
const DRIVES = [
  ['nvme-1', 'nvme'],
  ['sata-1', 'sata'],
] as const;
const DRIVE_BYTES = 64 * 1024 * 1024;

const BY_API = { outcome: 'refused', by: "plinthd's API" } as const;

suite('the management plane of a node', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab();
    const extraDrives = DRIVES.map(([serial, attachedBy]): ExtraDrive => {
      const path = join(lab.scratch, `${serial}.raw`);
      return { path, format: 'raw', readOnly: false, serial, attachedBy };
    });
    for (const { path } of extraDrives) {
      await writeFile(path, '');
      await truncate(path, DRIVE_BYTES);
    }
    booted = await bootImage(lab, NODE, {
      title: 'a node to ask and to change',
      expected: 'ready',
      spec: { clusterCard: CARD, machineConfig: configOf(GIVEN), onReboot: 'restart', extraDrives },
    });
    client = lab.owner.connect(endpointOf(booted));
    await settledHealth(client);
  });
  after(async () => {
    client?.close();
    await lab[Symbol.asyncDispose]();
  });

  const configOf = (...addresses: string[]) =>
    lab.owner.machineConfig(NODE, {
      network: { interfaces: [{ mac: CARD.mac, addresses: addresses.map((each) => `${each}/24`) }] },
    });
  /** Kinds whose effect can be seen on a node without a cluster. */
  const richConfig = (name: string) => {
    const network = {
      interfaces: [{ mac: CARD.mac, addresses: [`${GIVEN}/24`, `${ADDED}/24`] }],
      vlans: [{ name: 'vlan20', id: 20, parent: CARD.mac, addresses: [`${VLAN}/24`] }],
      hosts: [{ address: '10.78.0.40', names: [name] }],
    };
    const documents = [
      { kind: 'Sysctls', settings: { 'vm.max_map_count': 262_144 } },
      { kind: 'KernelModules', load: [{ name: 'wireguard' }] },
    ];
    return joinConfig(lab.owner.machineConfig(NODE, { network }), ...documents);
  };
  const cardAddresses = async () => {
    const { links } = await client.system.network();
    const card = links.find(({ mac }) => mac === CARD.mac);
    return (card?.addresses ?? []).map(({ cidr }) => cidr.split('/')[0]);
  };
  const outcomeOf = async (revision: number) =>
    (await client.config.history()).revisions.find((each) => each.revision === revision)?.outcome;

  test('lists services, processes and control groups, each with its unit', async () => {
    const { services, notObserved } = await client.system.services();
    assert.deepEqual(notObserved, []);
    const agent = services.find(({ name }) => name === 'plinthd.service');
    assert.deepEqual([agent?.activeState, agent?.subState], ['active', 'running']);
    assert.ok((agent?.memoryBytes ?? 0n) > 10_000_000n);
    assert.ok(services.some(({ name }) => name === 'containerd.service'));
    const { processes } = await client.system.processes();
    assert.equal(processes.find(({ pid }) => pid === 1)?.name, 'systemd');
    assert.equal(processes.find(({ pid }) => pid === agent?.mainPid)?.unit, 'plinthd.service');
    const { cgroups } = await client.system.cgroups();
    assert.ok(cgroups.some(({ path }) => path.endsWith('plinthd.service')));
  });

  test('tells memory, processors and pressure', async () => {
    const { memory, processors, pressure, load } = await client.system.resources();
    assert.ok(memory && processors);
    assert.ok(memory.totalBytes > memory.availableBytes && memory.availableBytes > 0n);
    assert.ok(processors.count >= 1);
    assert.equal(load.length, 3);
    assert.deepEqual(pressure.map(({ resource }) => resource).sort(), ['cpu', 'io', 'memory']);
  });

  test('shows its disks, the verity device behind its root, and how full what is mounted is', async () => {
    const { disks } = await client.system.disks();
    const volumes = disks.flatMap((disk) => disk.volumes);
    const root = volumes.find(({ mountedAt }) => mountedAt === '/');
    const { rootHash } = await client.getIntegrity();
    assert.equal(root?.verityRootHash, rootHash);
    assert.equal(root?.verityState, 'verified');
    const { mounts } = await client.system.mounts();
    const data = mounts.find(({ target }) => target === '/var');
    assert.equal(data?.fileSystem, 'ext4');
    assert.ok((data?.usage?.availableBytes ?? 0n) > 0n);
  });

  test('shows what disks say of their own health, each in its own tongue, and who they are', async () => {
    const healthOf = async (serial: string) => {
      const disk = (await client.system.disks()).disks.find((each) => each.serial === serial);
      assert.ok(disk, `no disk has the serial number ${serial}`);
      assert.equal(disk.smartUnread, '', disk.name);
      assert.ok(disk.health, disk.name);
      assert.deepEqual([disk.health.verdict, disk.health.warnings], [DiskVerdict.PASSED, []], disk.name);
      assert.equal(disk.sizeBytes, BigInt(DRIVE_BYTES));
      return { ...disk, health: disk.health };
    };
    // The first question starts a unit, which an emulated machine may take its time for.
    await eventually(async () => {
      const nvme = await healthOf('nvme-1');
      // QEMU's drive is 323 kelvin warm and knows of no spare.
      assert.deepEqual([nvme.transport, nvme.health.celsius, nvme.health.usedPercent], ['nvme', 50, 0]);
      const sata = await healthOf('sata-1');
      // What QEMU's drive keeps in its attributes 5 and 190.
      assert.deepEqual(
        [sata.transport, sata.health.reallocatedSectors, sata.health.celsius],
        ['sata', 0n, 31],
      );
    }, PATIENCE);
    const { disks } = await client.system.disks();
    assert.match(disks.find(({ transport }) => transport === 'virtio')?.smartUnread ?? '', /virtual disk/);
  });

  test('shows links, routes and name servers, and nobody listens but plinthd', async () => {
    assert.deepEqual((await cardAddresses()).includes(GIVEN), true);
    const { routes, dns } = await client.system.network();
    assert.ok(routes.some(({ destination }) => destination === 'default' || destination === '0.0.0.0/0'));
    assert.ok(dns);
    const { sockets } = await client.system.sockets({ listeningOnly: true });
    const reachable = sockets.filter(
      ({ protocol, localAddress }) => protocol.startsWith('tcp') && !/^(127\.|::1)/.test(localAddress),
    );
    assert.deepEqual(
      [...new Set(reachable.map(({ localPort, unit }) => `${localPort} ${unit}`))],
      ['7546 plinthd.service'],
    );
  });

  test('tells the time and the certificates it holds', async () => {
    const { now } = await client.system.time();
    const driftMs = Math.abs(Number(now?.seconds ?? 0n) * 1000 - Date.now());
    assert.ok(driftMs < 60_000, `${driftMs} ms beside this computer's clock`);
    const { certificates } = await client.system.certificates();
    assert.ok(certificates.length >= 1);
  });

  test('gives its logs: of the kernel, of a unit, and as they are written', async () => {
    assert.match((await allOf({ source: { case: 'kernel', value: true } })).join('\n'), /Linux version/);
    const agent = { source: { case: 'unit', value: 'plinthd.service' } } as const;
    assert.match((await allOf({ ...agent, lines: 200 })).join('\n'), /"method":"NodeService.GetHealth"/);
    const following = firstOf({ ...agent, lines: 0, follow: true });
    // Each call is an entry of its own.
    const asking = setInterval(() => void client.getVersions().catch(() => {}), POLL_MS);
    const entries = await following.finally(() => clearInterval(asking));
    assert.ok(entries.length > 0);
  });

  test('gives files of the list, and no secret', async () => {
    assert.match(Buffer.concat(await pieces('/etc/os-release')).toString(), /^ID=plinth$/m);
    for (const path of [
      '/var/lib/plinth/identity.key',
      '/etc/shadow',
      '/proc/1/environ',
      '/etc/../var/lib/plinth',
    ])
      await attack(lab, `Read ${path} by the API, as an administrator`, BY_API, async () => {
        let said = '';
        await assert.rejects(pieces(path), (reason) => {
          said = String(reason);
          return true;
        });
        return said;
      });
  });

  test('knows that no pod runs', async () => {
    assert.deepEqual((await client.containers.pods()).pods, []);
    assert.deepEqual((await client.containers.containers()).containers, []);
    assert.ok(Array.isArray((await client.containers.images()).images));
  });

  test('captures packets, in a unit of its own that may do nothing else', async () => {
    const chunks: Uint8Array[] = [];
    const limits = { interface: 'lo', durationSeconds: 2, reason: 'a test of the capture' };
    for await (const chunk of client.capture.packets(limits)) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).readUInt32LE(0), PCAPNG_MAGIC);
  });

  test('plans a change of its config and changes nothing', async () => {
    const { plan } = await client.config.plan({ config: Buffer.from(configOf(GIVEN, ADDED)) });
    assert.equal(plan?.touchesNetwork, true);
    assert.equal(plan.defaultMode, ConfigMode.TRY);
    assert.match(plan.changes[0]?.path ?? '', /^network\.interfaces\[52:54:00:0a:05:0c\]\.addresses/);
    assert.equal((await cardAddresses()).includes(ADDED), false);
  });

  test('refuses a config that is wrong, with its place, and keeps the one it has', async () => {
    const wrong = Buffer.from(`${configOf(GIVEN)}\n---\napiVersion: plinth.dev/v1alpha1\nkind: Netwrok\n`);
    await assert.rejects(client.config.apply({ config: wrong }), (reason: Error) => {
      assert.match(reason.message, /Netwrok|line 3|:3:/);
      return true;
    });
    assert.equal((await client.config.history()).revisions.length, 1);
  });

  test('tries a change, keeps it when it is confirmed, and finds no drift', async () => {
    const { revision } = await client.config.apply({
      config: Buffer.from(configOf(GIVEN, ADDED)),
      reason: 'a second address',
    });
    await eventually(async () => assert.ok((await cardAddresses()).includes(ADDED)), PATIENCE);
    await client.config.confirm(revision);
    assert.equal(await outcomeOf(revision), ConfigOutcome.GOOD);
    const { drift, settled, source } = await client.config.status();
    assert.deepEqual([drift, settled, source], [[], true, 'api']);
    const { revisions } = await client.config.history();
    assert.deepEqual([revisions[0]?.author, revisions[0]?.reason], ['boot-tests', 'a second address']);
  });

  test('takes a change back that nobody confirms', async () => {
    const { revision } = await client.config.apply({
      config: Buffer.from(configOf(GIVEN, CUT)),
      mode: ConfigMode.TRY,
      confirmWithin: TEN_SECONDS,
    });
    await eventually(async () => assert.equal(await outcomeOf(revision), ConfigOutcome.REVERTED), PATIENCE);
    await eventually(async () => {
      const addresses = await cardAddresses();
      assert.deepEqual([addresses.includes(ADDED), addresses.includes(CUT)], [true, false]);
    }, PATIENCE);
  });

  test('brings kernel settings, modules, a VLAN, names and authorities into effect', async () => {
    const { revision } = await client.config.apply({ config: Buffer.from(richConfig('first.example')) });
    await eventually(async () => {
      assert.equal((await textOf('/proc/sys/vm/max_map_count')).trim(), '262144');
      const { links } = await client.system.network();
      const vlan = links.find(({ name }) => name === 'vlan20');
      assert.ok(vlan?.addresses.some(({ cidr }) => cidr === `${VLAN}/24`));
    }, PATIENCE);
    await client.config.confirm(revision);
    assert.match(await textOf('/proc/modules'), /^wireguard /m);
    assert.match(await textOf('/etc/hosts'), /10\.78\.0\.40\s+first\.example/);
    const { checks } = await settledHealth(client);
    for (const id of ['kernel-config', 'config-drift', 'machine-config'])
      assert.equal(verdictOf(checks, id), Verdict.PASS, id);
  });

  test('takes a staged config with the next boot, and keeps it once that is healthy', async () => {
    const { revision } = await client.config.apply({
      config: Buffer.from(richConfig('second.example')),
      mode: ConfigMode.STAGED,
    });
    assert.match(await textOf('/etc/hosts'), /first\.example/);
    const { bootId } = await client.getIdentity();
    await client.machine.reboot({ reason: 'a staged config' });
    await eventually(async () => assert.notEqual((await client.getIdentity()).bootId, bootId), PATIENCE);
    assert.match(await textOf('/etc/hosts'), /10\.78\.0\.40\s+second\.example/);
    assert.equal((await textOf('/proc/sys/vm/max_map_count')).trim(), '262144');
    await eventually(async () => assert.equal(await outcomeOf(revision), ConfigOutcome.GOOD), PATIENCE);
    assert.deepEqual((await client.config.status()).drift, []);
  });

  test('is as healthy as before, and its journal holds each change of the config', async () => {
    assert.equal((await settledHealth(client)).state, HealthState.HEALTHY);
    const agent = { source: { case: 'unit', value: 'plinthd.service' } } as const;
    const lines = await allOf({ ...agent, grep: 'ApplyConfig' });
    assert.ok(lines.length >= 2);
    assert.equal(lines.join('\n').includes('BEGIN CERTIFICATE'), false, 'the config is not in the journal');
  });

  async function firstOf(request: Parameters<NodeClient['logs']['read']>[0]) {
    for await (const entries of client.logs.read(request)) return entries;
    return [];
  }

  async function allOf(request: Parameters<NodeClient['logs']['read']>[0]): Promise<string[]> {
    const entries: LogEntry[] = [];
    for await (const some of client.logs.read(request)) entries.push(...some);
    return entries.map(({ message }) => message);
  }

  async function textOf(path: string): Promise<string> {
    return Buffer.concat(await pieces(path)).toString('utf8');
  }

  async function pieces(path: string): Promise<Uint8Array[]> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of client.files.read(path)) chunks.push(chunk);
    return chunks;
  }
});
