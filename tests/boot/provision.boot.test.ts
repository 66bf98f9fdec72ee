import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
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
import { HOST_SEEN_BY_GUEST } from '../testkit/guest-network.ts';
import { openPlinthCli } from '../testkit/plinth-cli.ts';
import { makeRegistryCertificate } from '../testkit/registry-certificate.ts';

// How a machine that nobody defined a config for becomes a node: by hand in maintenance, by a config drive (ISO 9660 here; the
// node of login.boot.test.ts has its config from one on FAT), and by an address with the authority that vouches for it.

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
    lab = await openBootLab({ refusals: [] });
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
    lab = await openBootLab({ refusals: [] });
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

suite('a machine with the address of its config', () => {
  const NAME = 'address';
  let lab: BootLab;
  before(async () => {
    lab = await openBootLab({ refusals: [] });
  });
  after(() => lab?.[Symbol.asyncDispose]());

  test('believes only the server its definition vouches for, says what is wrong with a config, and takes the good one', async () => {
    const own = await makeRegistryCertificate(join(lab.scratch, 'server'));
    const foreign = await makeRegistryCertificate(join(lab.scratch, 'impostor'));
    let config = lab.owner.machineConfig('impostor');
    let given = 0;
    const server = createServer(foreign, (_request, response) => {
      given++;
      response.end(config);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const at = { url: `https://${HOST_SEEN_BY_GUEST}:${port}/config.yaml`, authority: own.cert };
    const spec = bareSpec(lab, NAME, {
      firmwareConfig: { 'opt/dev.plinth/machine-config-url': JSON.stringify(at) },
    });
    const options = { title: 'a machine with the address of its config', expected: 'maintenance' };
    const booted = await bootAgain(lab, spec, options);
    const screen = () => readFile(consolePath(NAME, lab.machinesRoot), 'utf8');
    const sees = (pattern: RegExp) =>
      eventually(async () => assert.match(await screen(), pattern), {
        patienceMs: 300_000,
        everyMs: 1_000,
      });
    try {
      assert.ok(booted.outcome.kind === 'failed' && booted.outcome.code === 'vm/maintenance');
      const refused = { outcome: 'refused', by: 'the authority in the definition of the machine' } as const;
      await attack(lab, 'Give a new machine its config as another server', refused, async () => {
        const why = String.raw`the connection failed \((?:\w*CERT\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE)\)`;
        await sees(
          new RegExp(`maintenance: The server ${HOST_SEEN_BY_GUEST}:${port} gives no config: ${why}`),
        );
        assert.equal(given, 0, 'nothing was asked of it');
        return 'its certificate is of another authority';
      });
      config = `${lab.owner.machineConfig('by-address')}\n---\napiVersion: plinth.dev/v1alpha1\nkind: Netwrok\n`;
      server.setSecureContext(own);
      // The line of the kind that nobody knows, counted from the start of what was given.
      const line = config.slice(0, config.indexOf('Netwrok')).split('\n').length;
      await sees(new RegExp(`maintenance: .*\\(url\\): kind is "Netwrok".* at line ${line}, column \\d+`));
      config = lab.owner.machineConfig('by-address');
      await sees(/plinth: api ready port=7546 fingerprint=/);
      const [, fingerprint = ''] =
        /plinth: api ready .*fingerprint=(sha256:[0-9a-f]{64})/.exec(await screen()) ?? [];
      using admin = lab.owner.connect({
        ...{ address: '127.0.0.1', port: booted.machine.record.apiPort, fingerprint },
      });
      const { nodeName, configSource } = await admin.getIdentity();
      assert.deepEqual([nodeName, configSource], ['by-address', 'url']);
    } finally {
      server.closeAllConnections();
      server.close();
      await booted[Symbol.asyncDispose]();
    }
  });
});
