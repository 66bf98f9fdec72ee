import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { connectNode, type NodeClient, seeFingerprint } from '@plinth/api';
import { codeOf, eventually } from '@plinth/host/testing';
import { consolePath, type ExtraDrive } from '@plinth/local';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootAgain, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, bareSpec, openBootLab } from '../testkit/boot-lab.ts';
import { makeFatDrive } from '../testkit/config-drives.ts';
import { openPlinthCli } from '../testkit/plinth-cli.ts';

// How a machine that nobody defined a config for becomes a node: by hand in maintenance, and by a config drive (ISO 9660 here; the
// node of login.boot.test.ts has its config from one on FAT).

const WAIT = { patienceMs: 120_000, everyMs: 500 } as const;
const CALL_MS = 60_000;
const READY = /plinth: maintenance ready port=7546 fingerprint=(sha256:[0-9a-f]{64})/;

suite('a machine in maintenance', () => {
  const NAME = 'provision';
  let lab: BootLab;
  let booted: BootedImage;
  let fingerprint: string;
  let admin: NodeClient | undefined;

  before(async () => {
    lab = await openBootLab();
    const options = { title: 'a machine without a config', expected: 'maintenance' };
    booted = await bootAgain(lab, bareSpec(lab, NAME, { onReboot: 'restart' }), options);
  });
  after(async () => {
    admin?.close();
    await lab?.[Symbol.asyncDispose]();
  });

  const where = () => ({
    address: '127.0.0.1' as const,
    port: booted.machine.record.apiPort,
    timeoutMs: CALL_MS,
  });
  const screen = () => readFile(consolePath(NAME, lab.machinesRoot), 'utf8');

  test('says on its console that it waits, where it is, and the fingerprint it shows to callers', async () => {
    assert.ok(booted.outcome.kind === 'failed' && booted.outcome.code === 'vm/maintenance');
    fingerprint = await eventually(async () => {
      const found = READY.exec(await screen())?.[1];
      assert.ok(found, await screen());
      return found;
    }, WAIT);
    assert.equal(await seeFingerprint(where()), fingerprint);
    assert.match(await screen(), /plinth: maintenance: waits for "plinth apply FILE --insecure/);
    await eventually(async () => assert.match(await screen(), /plinth: maintenance: addresses 10\./), WAIT);
  });

  test('answers nobody else, and nothing but what a first config takes', async () => {
    using stranger = connectNode({ ...where(), fingerprint });
    assert.equal((await stranger.maintenance.get()).code, 'agent/config-missing');
    const refused = { outcome: 'refused', by: "plinthd's API" } as const;
    await attack(lab, 'Reboot a node in maintenance as a stranger', refused, async () => {
      assert.equal(await codeOf(stranger.getVersions()), 'api/refused');
      const code = await codeOf(stranger.machine.reboot({ reason: 'no' }));
      assert.equal(code, 'api/refused');
      return code;
    });
    using other = connectNode({ ...where(), fingerprint: `sha256:${'0'.repeat(64)}` });
    await attack(
      lab,
      'Stand in for a new node with another key',
      { ...refused, by: 'its client' },
      async () => {
        const code = await codeOf(other.maintenance.get());
        assert.equal(code, 'api/identity-mismatch');
        return code;
      },
    );
  });

  test('becomes a node by one command, and stays it', async () => {
    const file = join(lab.scratch, 'first.yaml');
    await writeFile(file, lab.owner.machineConfig(NAME));
    const cli = openPlinthCli(lab.scratch);
    const endpoint = `127.0.0.1:${where().port}`;
    const insecure = ['apply', file, '--insecure', '--endpoint', endpoint];
    const blind = await cli.run([...insecure, '--yes']);
    assert.equal(blind.exitCode, 2, blind.stderr);
    const wrong = await cli.run([...insecure, '--yes', '--fingerprint', `sha256:${'0'.repeat(64)}`]);
    assert.match(wrong.stderr, /api\/identity-mismatch/);
    const done = await cli.run([
      ...insecure,
      '--yes',
      '--fingerprint',
      fingerprint,
      '--reason',
      'a boot test',
    ]);
    assert.equal(done.exitCode, 0, done.stderr);
    assert.match(done.stdout, /provision has its config: revision 1/);
    admin = lab.owner.connect({ ...where(), fingerprint });
    const identity = await admin.getIdentity();
    assert.equal(identity.certificateFingerprint, fingerprint);
    assert.equal(identity.nodeName, NAME);
    assert.equal(identity.identityPersistent, true);
    const [revision] = (await admin.config.history()).revisions;
    assert.match(revision?.author ?? '', /^stranger at /);
    assert.equal(revision?.reason, 'a boot test');
    const again = await cli.run([...insecure, '--yes', '--fingerprint', fingerprint]);
    assert.match(again.stderr, /config\/already-given/);
    const records: string[] = [];
    for await (const lines of admin.audit.read()) records.push(...lines);
    assert.equal(records.filter((line) => line.includes('"MaintenanceService.ApplyFirstConfig"')).length, 2);
  });

  test('comes up with that config after a reboot, and opens no door', async () => {
    await shutDown(lab, booted);
    booted = await bootAgain(lab, booted.spec, { title: 'its second boot', expected: 'ready' });
    assert.equal(endpointOf(booted).fingerprint, fingerprint);
    assert.equal(
      booted.lines.some((line) => line.includes('maintenance')),
      false,
    );
    using stranger = connectNode({ ...where(), fingerprint });
    assert.equal(await codeOf(stranger.maintenance.get()), 'api/forbidden');
  });
});

suite('a machine with a config drive', () => {
  const NAME = 'drive';
  let lab: BootLab;
  before(async () => {
    lab = await openBootLab();
  });
  after(() => lab?.[Symbol.asyncDispose]());

  /** An ISO 9660 volume as genisoimage makes it (__fixtures__/make.sh), whose user-data has room: blank lines after the documents change nothing. */
  const isoDrive = async (nodeName: string): Promise<ExtraDrive> => {
    const packed = await readFile(new URL('./__fixtures__/cidata-room.img.zst', import.meta.url));
    const volume = zstdDecompressSync(packed);
    const at = volume.indexOf(`#${'\n'.repeat(64)}`);
    const documents = Buffer.from(lab.owner.machineConfig(nodeName));
    assert.ok(at > 0 && documents.length < 8192);
    documents.copy(volume, at);
    const path = join(lab.scratch, `${nodeName}.iso`);
    await writeFile(path, volume);
    return { path, format: 'raw', readOnly: true };
  };
  const nameAndSource = async (booted: BootedImage) => {
    using admin = lab.owner.connect(endpointOf(booted));
    const { nodeName, configSource } = await admin.getIdentity();
    return [nodeName, configSource];
  };

  test('takes it at its first boot; another one later, of whatever kind, changes nothing', async () => {
    const spec = bareSpec(lab, NAME, { extraDrives: [await isoDrive('by-drive')] });
    const first = await bootAgain(lab, spec, { title: 'a drive cidata, ISO 9660', expected: 'ready' });
    try {
      assert.deepEqual(await nameAndSource(first), ['by-drive', 'nocloud']);
      await shutDown(lab, first);
      const drive = await makeFatDrive(lab.toolbox, join(lab.scratch, 'another.fat'), {
        'user-data': lab.owner.machineConfig('another'),
        'meta-data': 'instance-id: another\n',
      });
      const other = { ...spec, extraDrives: [drive] };
      const second = await bootAgain(lab, other, { title: 'another drive later', expected: 'ready' });
      assert.deepEqual(await nameAndSource(second), ['by-drive', 'persisted']);
    } finally {
      await first[Symbol.asyncDispose]();
    }
  });
});
