import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type GetIntegrityResponse, HealthState, type NodeClient, Verdict } from '@plinth/api';
import { judgeNode } from '@plinth/cli';
import { hex, predictPcr7 } from '@plinth/formats';
import { type ApiEndpoint, readConsole } from '@plinth/local';
import { loadProfiles } from '@plinth/posture';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { failing, settledHealth, verdictOf } from '../testkit/node-answers.ts';
import { readPathRules } from '../testkit/path-rules.ts';

/** Acts that the agent tries at each call, and that the kernel must refuse. */
const PROBES = ['write-root', 'write-usr', 'remount-root', 'write-root-device', 'execute-var'];
/** Only plinthd can be reached from outside. */
const CLOSED = 'listening-sockets';
const ZERO = '0'.repeat(64);

suite('the image under Secure Boot with a TPM', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let client: NodeClient;
  let integrity: GetIntegrityResponse;
  let first: ApiEndpoint;

  before(async () => {
    lab = await openBootLab();
    booted = await bootImage(lab, 'healthy', { title: 'first boot', expected: 'healthy' });
    first = endpointOf(booted);
    client = lab.owner.connect(first);
  });

  after(async () => {
    client?.close();
    await lab[Symbol.asyncDispose]();
  });

  test('becomes healthy', async () => {
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    assert.equal(health.state, HealthState.HEALTHY);
  });

  test('is what was built, seen by the kernel, the firmware and the TPM', async () => {
    integrity = await client.getIntegrity();
    assert.deepEqual(failing(integrity.checks), []);
    assert.equal(integrity.verdict, Verdict.PASS);
    for (const id of [...PROBES, CLOSED]) assert.equal(verdictOf(integrity.checks, id), Verdict.PASS, id);
    const { imageVersion } = await client.getVersions();
    assert.equal(imageVersion, lab.release.version);
  });

  test('has every mount of os/paths.yaml, and no other', async () => {
    const targets = new Map(integrity.mounts.map((mount) => [mount.target, mount]));
    for (const rule of await readPathRules()) {
      if (rule.mounted !== 'always') continue;
      assert.equal(targets.get(rule.path)?.rule, rule.path, `${rule.path} is not mounted by its rule`);
      for (const flag of rule.flags) {
        assert.ok(targets.get(rule.path)?.flags.includes(flag), `${rule.path} is not ${flag}`);
      }
    }
    const wrong = integrity.mounts.filter(({ verdict }) => verdict !== Verdict.PASS);
    assert.deepEqual(
      wrong.map(({ target, difference }) => `${target}: ${difference}`),
      [],
    );
  });

  test('has measured itself as the release predicts', async () => {
    const registers = new Map(integrity.pcrs.map(({ index, sha256 }) => [index, sha256]));
    for (const index of [0, 4, 7, 11]) {
      assert.notEqual(registers.get(index) ?? ZERO, ZERO, `PCR ${index} has no measurement`);
    }
    const predicted = await readPredictions(lab);
    assert.ok(predicted.pcr4.includes(registers.get(4) ?? ''), `PCR 4 is ${registers.get(4)}`);
    assert.equal(registers.get(7), predictSecureBoot(lab), 'PCR 7');
    assert.ok(predicted.pcr11.includes(registers.get(11) ?? ''), `PCR 11 is ${registers.get(11)}`);
  });

  test('fails no claim of any profile, and leaves none unknown', async () => {
    const { fullest } = await loadProfiles();
    const posture = await judgeNode(client, fullest, false);
    await writeFile(join(lab.reportFolder, 'posture.json'), JSON.stringify(posture, undefined, 1));
    const open = posture.results.filter(
      ({ verdict, found, reason }) =>
        // Weaknesses of the processor are QEMU's: an emulated one has no microcode to mend them.
        (verdict === 'fail' && !`${found} ${reason}`.includes('cpu/')) || verdict === 'unknown',
    );
    assert.deepEqual(
      open.map(
        ({ profile, id, verdict, found, reason }) => `${profile} ${id} ${verdict}: ${found} ${reason}`,
      ),
      [],
    );
  });

  test('tells where the time of its boot went', async () => {
    const { phases, crashRecords } = await client.getBootReport();
    const names = phases.map(({ name }) => name);
    // Firmware and loader are told only where the loader could measure time, which QEMU's processors do not offer.
    assert.deepEqual(names.slice(-3), ['kernel', 'initrd', 'userspace']);
    assert.deepEqual(names.slice(0, -3), ['firmware', 'loader'].slice(0, names.length - 3));
    for (const { name, duration } of phases) {
      assert.ok(Number(duration?.seconds ?? 0) + (duration?.nanos ?? 0) > 0, `${name} took no time`);
    }
    assert.deepEqual(crashRecords, []);
  });

  test('prints no prompt on its console', async () => {
    const console = (await readConsole(booted.machine)).join('\n');
    assert.doesNotMatch(console, /login:|password:|emergency mode|[#$>] ?$/im);
  });

  test('powers itself off, and is the same node after a second boot', async () => {
    const before = await client.getIdentity();
    client.close();
    assert.equal(await shutDown(lab, booted), 'powered-off');
    const again = await bootAgain(lab, booted.spec, {
      title: 'second boot',
      expected: 'healthy, same identity',
    });
    const endpoint = endpointOf(again);
    assert.equal(endpoint.fingerprint, first.fingerprint);
    client = lab.owner.connect(endpoint);
    const now = await client.getIdentity();
    assert.equal(now.nodeId, before.nodeId);
    assert.notEqual(now.bootId, before.bootId);
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
  });
});

/**
 * dbx as virt-fw-vars leaves it: firmware wants one to exist, so it refuses the program of no bytes. One SHA-256 list
 * (UEFI 2.10, 32.4.1) with one entry of OVMF's owner.
 */
const REFUSED_BY_NAME = Buffer.from(
  '2616c4c14c509240aca941f9369343284c0000000000000030000000a3a8baa01d04a848bc87c36d121b5e3d' +
    createHash('sha256').digest('hex'),
  'hex',
);

/**
 * PCR 7 of a machine whose firmware got exactly the keys of the lab: boot loader and UKI are both trusted by the boot
 * certificate, which is measured once.
 */
function predictSecureBoot({ keys }: BootLab): string {
  const { PK: pk, KEK: kek, db } = keys.efiVariables;
  const authorities = [keys.efiSignature(keys.signers.boot.certificate)];
  return hex(predictPcr7({ enabled: true, pk, kek, db, dbx: REFUSED_BY_NAME, authorities }));
}

/** The PCR values that the release says a sound boot may have. */
async function readPredictions(lab: BootLab): Promise<{ pcr4: string[]; pcr11: string[] }> {
  const value: { pcr4: Record<string, string>; pcr11: Record<string, string> } = JSON.parse(
    await readFile(lab.release.pcrsPath, 'utf8'),
  );
  return { pcr4: Object.values(value.pcr4), pcr11: Object.values(value.pcr11) };
}
