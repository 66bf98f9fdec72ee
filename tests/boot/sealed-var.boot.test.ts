import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { connectNode, type NodeClient, RecoveryKeyState, VarKeyKind, Verdict } from '@plinth/api';
import { removeCertificates } from '@plinth/formats';
import { codeOf } from '@plinth/host/testing';
import { machineFolder } from '@plinth/local';
import { issueClientCertificate, signPe } from '@plinth/trust';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { buildSealing } from '../testkit/build-level.ts';
import { copyDisk, type DiskCopy } from '../testkit/disk-copy.ts';
import { settledHealth, verdictOf } from '../testkit/node-answers.ts';
import { replaceUki } from '../testkit/replace-uki.ts';
import { fileHolds } from '../testkit/search-file.ts';

// What a thief of a disk, of a machine or of a signing key finds of a node's data.

const RESEAL_MS = 300_000;
/** 256 bits in the alphabet of systemd-cryptenroll, of no node. */
const FOREIGN_KEY = Array(8).fill('cbdefghi').join('-');

suite('/var of a machine with a TPM', () => {
  const NAME = 'sealed-var';
  const marker = `marker-${randomBytes(12).toString('hex')}`;
  let lab: BootLab;
  let sealing: Awaited<ReturnType<typeof buildSealing>>;
  let disk: DiskCopy;
  let booted: BootedImage;
  let nodeId: string;
  let recoveryKey: string;

  before(async () => {
    lab = await openBootLab();
    sealing = await buildSealing(lab);
    disk = await copyDisk(sealing.diskPath, join(lab.scratch, 'sealed.raw'));
    booted = await bootImage(lab, NAME, {
      ...{ title: 'the first start with a TPM', expected: 'ready, /var encrypted' },
      spec: { disk: { kind: 'raw', path: disk.path } },
    });
  });
  after(() => lab?.[Symbol.asyncDispose]());

  const asAdmin = async (work: (client: NodeClient) => Promise<void>) => {
    using client = lab.owner.connect(endpointOf(booted));
    await work(client);
  };
  const startAgain = async (title: string, expected: string) => {
    assert.equal(await shutDown(lab, booted), 'powered-off');
    return async () => {
      booted = await bootAgain(lab, booted.spec, { title, expected });
    };
  };
  const expectClosed = async (client: NodeClient) => {
    const health = await settledHealth(
      client,
      ({ checks }) => verdictOf(checks, 'var-disk') === Verdict.FAIL,
    );
    assert.equal(verdictOf(health.checks, 'var-disk'), Verdict.FAIL);
    assert.equal(verdictOf((await client.getIntegrity()).checks, 'var-encrypted'), Verdict.FAIL);
    const { encrypted, open } = await client.varKey.get();
    assert.deepEqual({ encrypted, open }, { encrypted: true, open: false });
    assert.notEqual((await client.getIdentity()).nodeId, nodeId);
    assert.match(booted.lines.join('\n'), /Failed to start .*Open \/var by the TPM/);
  };
  const expectOpen = async (client: NodeClient) => {
    assert.equal((await client.getIdentity()).nodeId, nodeId);
    assert.equal(verdictOf((await client.getIntegrity()).checks, 'var-encrypted'), Verdict.PASS);
    const { open, slots, recovery } = await client.varKey.get();
    assert.equal(open, true);
    assert.deepEqual(slots.map(({ kind }) => kind).sort(), [VarKeyKind.TPM2, VarKeyKind.RECOVERY]);
    assert.deepEqual(slots.find(({ kind }) => kind === VarKeyKind.TPM2)?.signedPcrs, [11]);
    assert.equal(recovery, RecoveryKeyState.TAKEN);
  };

  test('is encrypted by the first start, and opened by the TPM or a recovery key', async () => {
    await asAdmin(async (client) => {
      ({ nodeId } = await client.getIdentity());
      const { encrypted, open, slots, recovery } = await client.varKey.get();
      assert.deepEqual({ encrypted, open }, { encrypted: true, open: true });
      assert.equal(recovery, RecoveryKeyState.KEPT);
      assert.deepEqual(
        slots.map(({ kind, signedPcrs, literalPcrs }) => ({ kind, signedPcrs, literalPcrs })),
        [
          { kind: VarKeyKind.TPM2, signedPcrs: [11], literalPcrs: [] },
          { kind: VarKeyKind.RECOVERY, signedPcrs: [], literalPcrs: [] },
        ],
      );
      const { checks } = await client.getIntegrity();
      assert.equal(verdictOf(checks, 'var-encrypted'), Verdict.PASS);
    });
  });

  test('its recovery key is given once, and nowhere else', async () => {
    await asAdmin(async (client) => {
      recoveryKey = await client.varKey.takeRecoveryKey();
      assert.equal(await codeOf(client.varKey.takeRecoveryKey()), 'var-key/already-taken');
      for await (const entries of client.logs.read({}))
        for (const { message } of entries) assert.ok(!message.includes(recoveryKey), 'it is in the journal');
    });
    assert.ok(!booted.lines.some((line) => line.includes(recoveryKey)), 'it is on the console');
  });

  test('nothing of it can be read from the disk', async () => {
    await leaveMarker(lab, booted, marker);
    const start = await startAgain('the second start', 'ready, /var is opened');
    const written = join(machineFolder(NAME, lab.machinesRoot), 'disk.qcow2');
    assert.equal(await fileHolds(written, marker), false);
    assert.equal(await fileHolds(written, nodeId), false);
    await start();
  });

  test('the second start opens it', async () => {
    await asAdmin(expectOpen);
  });

  test('a UKI with another command line does not open it, although the firmware starts it', async () => {
    const start = await startAgain('a UKI that the release does not vouch for', 'up, /var in memory');
    const uki = await readFile(sealing.ukiPath);
    const changed = Buffer.from(removeCertificates(uki));
    changed.write('loglevel=5', changed.indexOf('loglevel=4'), 'latin1');
    const other = await signPe(lab.keys.signers.boot, changed);
    await replaceUki(disk, uki, other);
    await start();
    await asAdmin(expectClosed);
    const back = await startAgain('another TPM', 'up, /var in memory');
    await replaceUki(disk, other, uki);
    const tpm = join(machineFolder(NAME, lab.machinesRoot), 'tpm');
    // An emulator without a state makes itself a new one: other seeds, so another TPM.
    await rm(tpm, { recursive: true });
    await mkdir(tpm, { mode: 0o700 });
    await back();
  });

  test('another TPM does not open it', async () => {
    await asAdmin(expectClosed);
  });

  test('the recovery key opens it, and seals it to the TPM that is there now', async () => {
    await asAdmin(async (client) => {
      assert.equal(await codeOf(client.varKey.reseal('no key', RESEAL_MS)), 'var-key/bad-key');
      assert.equal(await codeOf(client.varKey.reseal(FOREIGN_KEY, RESEAL_MS)), 'var-key/bad-key');
      const { slots } = await client.varKey.reseal(recoveryKey, RESEAL_MS);
      assert.deepEqual(slots.map(({ kind }) => kind).sort(), [VarKeyKind.TPM2, VarKeyKind.RECOVERY]);
    });
    await (await startAgain('the start after it was sealed anew', 'ready, /var is opened'))();
    await asAdmin(expectOpen);
  });
});

suite('/var of a machine without a TPM', () => {
  let lab: BootLab;
  before(async () => {
    lab = await openBootLab();
  });
  after(() => lab?.[Symbol.asyncDispose]());

  test('is plain, which the node says, and everybody reads it from the disk', async () => {
    const marker = `marker-${randomBytes(12).toString('hex')}`;
    await using booted = await bootImage(lab, 'plain-var', {
      ...{ title: 'a start without a TPM', expected: 'ready, /var plain' },
      spec: { tpm: false, disk: { kind: 'raw', path: (await buildSealing(lab)).diskPath } },
    });
    using client = lab.owner.connect(endpointOf(booted));
    assert.equal(verdictOf((await client.getIntegrity()).checks, 'var-encrypted'), Verdict.FAIL);
    const { encrypted, recovery } = await client.varKey.get();
    assert.deepEqual({ encrypted, recovery }, { encrypted: false, recovery: RecoveryKeyState.NONE });
    assert.equal(await codeOf(client.varKey.takeRecoveryKey()), 'var-key/not-encrypted');
    await leaveMarker(lab, booted, marker);
    assert.equal(await shutDown(lab, booted), 'powered-off');
    // The search would find it on the encrypted disk, too.
    const written = join(machineFolder('plain-var', lab.machinesRoot), 'disk.qcow2');
    assert.equal(await fileHolds(written, marker), true);
  });
});

/** Leaves a text on /var: the audit log names who called. */
async function leaveMarker(lab: BootLab, booted: BootedImage, marker: string): Promise<void> {
  const caller = await issueClientCertificate(lab.keys.signers['api-authority'], {
    ...{ role: 'plinth:admin', name: marker, ttlSeconds: 3600 },
  });
  const { certificatePem: clientCertificatePem, privateKeyPem: clientKeyPem } = caller;
  using client = connectNode({
    ...endpointOf(booted),
    clientCertificatePem,
    clientKeyPem,
    timeoutMs: 60_000,
  });
  await client.getIdentity();
  const records: string[] = [];
  for await (const lines of client.audit.read()) records.push(...lines);
  assert.ok(
    records.some((line) => line.includes(marker)),
    'the audit log does not name the caller',
  );
}
