import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { FIRMWARE_PCRS, judgeEvidence, parseReference } from '@plinth/attest';
import type { ApiEndpoint } from '@plinth/local';
import { issueClientCertificate } from '@plinth/trust';
import { z } from 'zod';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { openPlinthCli, type PlinthCli } from '../testkit/plinth-cli.ts';
import { writeSignedReference } from '../testkit/signed-reference.ts';

/** Registers of a release; the rest of what is quoted is the firmware's and the machine's. */
const COMPARED = [4, 7, 9, 11, 15];
const ZERO = '0'.repeat(64);
const BY_VERIFIER = { outcome: 'refused', by: 'the verifier' } as const;

const answer = z.looseObject({
  verdict: z.string(),
  enrolledNow: z.boolean(),
  resetCount: z.number(),
  findings: z.array(z.looseObject({ reason: z.string(), pcr: z.number().optional() })),
  events: z.array(z.looseObject({ pcr: z.number(), state: z.string(), what: z.string() })),
  facts: z.looseObject({ bootId: z.string(), ipe: z.looseObject({ enforcing: z.string() }) }),
});

suite('attestation of the image by a TPM', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let cli: PlinthCli;
  let release: string;
  let first: z.infer<typeof answer>;

  before(async () => {
    lab = await openBootLab({ refusals: [] });
    cli = openPlinthCli(join(lab.scratch, 'client'));
    release = await writeSignedReference(lab, 'release', await readFile(lab.release.referencePath, 'utf8'));
    booted = await bootImage(lab, 'attest', { title: 'attested boot', expected: 'healthy' });
    await addContext(lab, cli, endpointOf(booted));
  });
  after(() => lab[Symbol.asyncDispose]());

  const attest = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await cli.run(['attest', ...args, '--timeout', '120', '-o', 'json']);
    assert.ok(stdout.startsWith('{'), stderr);
    return { exitCode, ...answer.parse(JSON.parse(stdout)) };
  };

  test('a node that was never enrolled is not judged', async () => {
    const { exitCode, stderr } = await cli.run(['attest', release]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /attest\/not-enrolled/);
  });

  test('it passes: every event of every register of the release is the one that was foreseen', async () => {
    const { exitCode, ...found } = await attest('--enrol', release);
    first = found;
    assert.deepEqual(found.findings, []);
    assert.equal(exitCode, 0);
    assert.equal(found.enrolledNow, true);
    assert.deepEqual(
      found.events.filter(({ state }) => state !== 'same'),
      [],
    );
    assert.deepEqual([...new Set(found.events.map(({ pcr }) => pcr))], COMPARED);
  });

  test('registers that nothing may be measured into are empty, and the logs lead to all others', async () => {
    using client = lab.owner.connect(endpointOf(booted));
    const { evidence, channel } = await client.attestation.attest(randomBytes(32));
    const values = new Map(
      evidence.registers.map(({ index, sha256 }) => [index, Buffer.from(sha256).toString('hex')]),
    );
    for (const pcr of [8, 12, 13, 14]) assert.equal(values.get(pcr), ZERO, `PCR ${pcr}`);
    for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 15])
      assert.notEqual(values.get(pcr), ZERO, `PCR ${pcr}`);
    assert.equal(channel.length, 32);
  });

  test('a release with another UKI is refused, with the event that differs', async () => {
    const reference = parseReference(await readFile(lab.release.referencePath, 'utf8'), 'reference');
    const registers = reference.registers.map((register) => ({
      ...register,
      events: register.events.map((event) =>
        register.pcr === 4 && event.what === 'UKI' ? { what: 'UKI', sha256: 'ab'.repeat(32) } : event,
      ),
    }));
    const other = await writeSignedReference(lab, 'other', JSON.stringify({ ...reference, registers }));
    await attack(lab, 'Pass for a release with another UKI', BY_VERIFIER, async () => {
      const { exitCode, findings } = await attest(other);
      assert.equal(exitCode, 3);
      const found = findings.map(({ reason, pcr }) => [reason, pcr]);
      assert.deepEqual(found, [
        ['missing-event', 4],
        ['unknown-event', 4],
      ]);
      return found.join('; ');
    });
  });

  test('reference values that nobody trusted has signed are refused', async () => {
    const forged = await writeSignedReference(lab, 'forged', '{}');
    await writeFile(join(forged, 'SHA256SUMS'), `${'ab'.repeat(32)}  x\n`);
    await attack(lab, 'Give the verifier reference values of its own', BY_VERIFIER, async () => {
      const { exitCode, stderr } = await cli.run(['attest', forged]);
      assert.equal(exitCode, 1);
      assert.match(stderr, /trust\/signature-invalid/);
      return stderr;
    });
  });

  test('after a reboot the TPM is the same, the boot another one, and it passes again', async () => {
    assert.equal(await shutDown(lab, booted), 'powered-off');
    booted = await bootAgain(lab, booted.spec, { title: 'second attested boot', expected: 'healthy' });
    await addContext(lab, cli, endpointOf(booted));
    const { exitCode, ...second } = await attest(release);
    assert.deepEqual(second.findings, []);
    assert.equal(exitCode, 0);
    assert.equal(second.enrolledNow, false);
    assert.notEqual(second.facts.bootId, first.facts.bootId);
    assert.ok(second.resetCount > first.resetCount, `${first.resetCount} resets, then ${second.resetCount}`);
  });

  test('without Secure Boot the same image is refused by name', async () => {
    const options = {
      title: 'UEFI without Secure Boot',
      expected: 'up',
      spec: { firmware: 'uefi' },
    } as const;
    await using open = await bootImage(lab, 'attest-open', options);
    using client = lab.owner.connect(endpointOf(open));
    const { nodeId } = await client.getIdentity();
    const nonce = new Uint8Array(randomBytes(32));
    const { evidence, channel } = await client.attestation.attest(nonce);
    const firmware = evidence.registers.filter(({ index }) => FIRMWARE_PCRS.includes(index));
    const { findings } = judgeEvidence({
      evidence,
      exchange: { nonce, channel, askedAtMs: 0, answeredAtMs: 0 },
      known: {
        ...{ nodeId, akPublic: evidence.akPublic, newestVersion: '' },
        firmware: new Map(firmware.map(({ index, sha256 }) => [index, Buffer.from(sha256).toString('hex')])),
      },
      references: [parseReference(await readFile(lab.release.referencePath, 'utf8'), 'reference')],
    });
    const reasons = new Set(findings.map(({ reason }) => reason));
    await attack(
      lab,
      'Boot the image with Secure Boot switched off',
      { outcome: 'detected', by: 'attestation' },
      () => {
        assert.ok(reasons.has('secure-boot-off'), [...reasons].join(', '));
        return [...reasons].join(', ');
      },
    );
    // It is its own TPM and its own logs all the same: what is refused is the boot.
    for (const reason of ['log-edited', 'bad-signature', 'not-for-this-challenge'] as const) {
      assert.ok(!reasons.has(reason), reason);
    }
  });
});

/** Lets the command line know the node of an endpoint, as an administrator. */
async function addContext(lab: BootLab, cli: PlinthCli, { address, port, fingerprint }: ApiEndpoint) {
  const admin = await issueClientCertificate(lab.keys.signers['api-authority'], {
    ...{ role: 'plinth:admin', name: 'attest-test', ttlSeconds: 3600 },
  });
  const [certificate, key] = [join(lab.scratch, 'admin.crt'), join(lab.scratch, 'admin.key')];
  await writeFile(certificate, admin.certificatePem);
  await writeFile(key, admin.privateKeyPem, { mode: 0o600 });
  const place = ['--endpoint', `${address}:${port}`, '--fingerprint', fingerprint];
  await cli.print('config', 'add', 'attest', ...place, '--certificate', certificate, '--key', key);
}
