import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type NodeClient, Verdict } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import type { ExtraDrive } from '@plinth/local';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { settledHealth, verdictOf } from '../testkit/node-answers.ts';
import { joinConfig } from '../testkit/owner.ts';

// Volumes of a machine config on drives of a machine: an empty one, one with a file system, one with data of no known kind.

const NODE = 'volumes';
const MIB = 1024 * 1024;
const PATIENCE = { patienceMs: 180_000, everyMs: 1_000 };

suite('volumes of a machine config', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let client: NodeClient;
  let uuid = '';
  let usedHash = '';

  before(async () => {
    lab = await openBootLab();
    for (const name of ['empty', 'used', 'random']) {
      await writeFile(drivePath(name), '');
      await truncate(drivePath(name), 256 * MIB);
    }
    await lab.toolbox.run('mkfs.ext4', ['-q', '-L', 'precious', '/mnt/drives/used.raw'], {
      binds: [{ host: lab.scratch, inside: '/mnt/drives' }],
    });
    usedHash = await hashOf('used');
    // Where no superblock is looked for.
    const random = await open(drivePath('random'), 'r+');
    await random.write(Buffer.from('data of no known kind'), 0, null, 3 * MIB + 17);
    await random.close();
    booted = await bootImage(lab, NODE, {
      title: 'a node with drives for data',
      expected: 'ready',
      spec: { machineConfig: configOf('data', 'used', 'other'), extraDrives: drives(), onReboot: 'restart' },
    });
    client = lab.owner.connect(endpointOf(booted));
  });
  after(async () => {
    client?.close();
    await lab[Symbol.asyncDispose]();
  });

  const drivePath = (name: string) => join(lab.scratch, `${name}.raw`);
  const drives = (): ExtraDrive[] =>
    ['empty', 'used', 'random'].map((name) => ({
      path: drivePath(name),
      format: 'raw',
      readOnly: false,
      serial: `${name}-1`,
    }));
  const VOLUMES: Readonly<Record<string, object>> = {
    data: { disk: { serial: 'empty-1', minimumSize: '200Mi' }, required: true },
    used: { disk: { serial: 'used-1' } },
    // The only one left that has neither partitions nor a mount is not empty.
    other: { disk: { largestEmpty: true, minimumSize: '100Mi' } },
  };
  function configOf(...names: string[]): string {
    const documents = names.map((name) => ({ kind: 'Volume', name, ...VOLUMES[name] }));
    return joinConfig(lab.owner.machineConfig(NODE), ...documents);
  }
  const mountOf = async (target: string) =>
    (await client.system.mounts()).mounts.find((mount) => mount.target === target);
  const hashOf = async (name: string) =>
    createHash('sha256')
      .update(await readFile(drivePath(name)))
      .digest('hex');
  const uuidOf = async () => {
    const { disks } = await client.system.disks();
    return (
      disks.flatMap(({ volumes }) => volumes).find(({ label }) => label === 'plinth-volume-data')?.uuid ?? ''
    );
  };

  test('an empty disk becomes a file system at its place, with the options that are always set', async () => {
    await eventually(async () => assert.ok(await mountOf('/var/mnt/data')), PATIENCE);
    const mount = await mountOf('/var/mnt/data');
    assert.equal(mount?.fileSystem, 'ext4');
    for (const flag of ['nosuid', 'nodev', 'noexec'])
      assert.ok(mount?.options.includes(flag), `${mount?.options}`);
    uuid = await uuidOf();
    assert.notEqual(uuid, '');
    const { mounts } = await client.getIntegrity();
    const judged = mounts.find(({ target }) => target === '/var/mnt/data');
    assert.deepEqual([judged?.verdict, judged?.rule], [Verdict.PASS, '/var/mnt/**']);
  });

  test('disks that carry something are refused, told with the reason, and not touched', async () => {
    // A volume is mounted a moment before plinthd has done with it.
    const { checks } = await settledHealth(
      client,
      ({ checks: all }) =>
        verdictOf(all, 'volumes') === Verdict.FAIL && verdictOf(all, 'required-volumes') === Verdict.PASS,
    );
    assert.equal(verdictOf(checks, 'required-volumes'), Verdict.PASS);
    const observed = checks.find(({ id }) => id === 'volumes')?.observed ?? '';
    assert.match(observed, /volume used: vd[a-z]: it carries data of the kind ext4/);
    assert.match(
      observed,
      /volume other: .*vd[a-z]: there is data at byte 3145745, of no kind that is known/,
    );
    assert.equal(await mountOf('/var/mnt/used'), undefined);
  });

  test('a document that goes unmounts the volume, and one that comes back finds its data', async () => {
    const apply = async (...names: string[]) => {
      // The change before it has to reach health first.
      const { revision } = await eventually(
        () => client.config.apply({ config: Buffer.from(configOf(...names)), reason: 'a boot test' }),
        PATIENCE,
      );
      await client.config.confirm(revision).catch(() => {});
    };
    await apply();
    await eventually(async () => assert.equal(await mountOf('/var/mnt/data'), undefined), PATIENCE);
    await apply('data');
    await eventually(async () => assert.ok(await mountOf('/var/mnt/data')), PATIENCE);
    assert.equal(await uuidOf(), uuid);
  });

  test('after a reboot it is there again, as large as its disk has become', async () => {
    client.close();
    await shutDown(lab, booted);
    await truncate(drivePath('empty'), 384 * MIB);
    booted = await bootAgain(lab, booted.spec, { title: 'its second boot', expected: 'ready' });
    client = lab.owner.connect(endpointOf(booted));
    await eventually(async () => assert.ok(await mountOf('/var/mnt/data')), PATIENCE);
    assert.equal(await uuidOf(), uuid);
    await eventually(async () => {
      const { usage } = (await mountOf('/var/mnt/data')) ?? {};
      assert.ok((usage?.sizeBytes ?? 0n) > BigInt(300 * MIB), `${usage?.sizeBytes}`);
    }, PATIENCE);
  });

  test('the disks that were refused are as they were, byte for byte', async () => {
    await shutDown(lab, booted);
    assert.equal(await hashOf('used'), usedHash);
    const { stdout } = await lab.toolbox.run('e2fsck', ['-fn', '/mnt/drives/used.raw'], {
      binds: [{ host: lab.scratch, inside: '/mnt/drives', readOnly: true }],
    });
    assert.match(String(stdout), /precious: .* files/);
    const expected = Buffer.alloc(256 * MIB);
    expected.write('data of no known kind', 3 * MIB + 17);
    assert.equal(await hashOf('random'), createHash('sha256').update(expected).digest('hex'));
  });
});
