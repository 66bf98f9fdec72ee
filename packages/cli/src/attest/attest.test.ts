import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Reference } from '@plinth/attest';
import { paperTpm, recordedBoot } from '@plinth/attest/testing';
import { initKeys } from '@plinth/trust';
import { z } from 'zod';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';
import { attestedNode, writeReleasePapers } from './testing/attested-node.ts';

const boot = recordedBoot();
const node = attestedNode();
let fleet: FakeFleet;
let release: string;

before(async () => {
  fleet = await fakeFleet({ name: 'n1', more: [node.routes] });
  node.nodeId = fleet.nodes.get('n1')?.nodeId ?? '';
  await initKeys(join(fleet.folder, 'config-dir', 'keys'));
  release = await writeRelease('0.1.0', boot.reference);
});
after(() => fleet[Symbol.asyncDispose]());

function writeRelease(version: string, reference: Reference): Promise<string> {
  return writeReleasePapers(fleet.folder, join(fleet.folder, 'config-dir', 'keys'), version, reference);
}

function withOtherUki(): Reference {
  const registers = boot.reference.registers.map((register) => ({
    ...register,
    events: register.events.map((event) =>
      event.what === 'UKI' ? { what: 'UKI', sha256: 'ab'.repeat(32) } : event,
    ),
  }));
  return { ...boot.reference, registers };
}

const answer = z.looseObject({
  verdict: z.string(),
  enrolledNow: z.boolean(),
  findings: z.array(z.looseObject({ reason: z.string() })),
});

async function attest(...args: string[]) {
  const { stdout, stderr, exitCode } = await fleet.plinth('attest', ...args, '-o', 'json');
  assert.ok(stdout.startsWith('{'), stderr);
  const { findings, ...rest } = answer.parse(JSON.parse(stdout));
  return { ...rest, exitCode, reasons: findings.map(({ reason }) => reason) };
}

async function writeBook(change: (entry: Record<string, unknown>) => object): Promise<void> {
  const folder = join(fleet.folder, 'config-dir', 'attestation');
  const [name = ''] = await readdir(folder);
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
}

test('a node is judged once it is enrolled, and passes as long as it is itself', async () => {
  assert.equal(await fleet.refused(/attest\/not-enrolled/, 'attest', release), 1);
  const first = await attest('--enrol', release);
  assert.deepEqual([first.verdict, first.exitCode, first.enrolledNow], ['pass', 0, true]);
  const second = await attest('--enrol', release);
  assert.deepEqual([second.verdict, second.exitCode, second.enrolledNow], ['pass', 0, false]);
  const shown = await fleet.ok('attest', release, '--events');
  assert.match(shown, /7 {2}same {3}ccfc4bb32888 {2}ccfc4bb32888 {2}variable SecureBoot/);
  assert.match(shown, /verdict +pass/);
});

test('without a release the quote is judged, and nothing passes', async () => {
  const { reasons, exitCode } = await attest();
  assert.deepEqual([reasons, exitCode], [['no-reference'], 3]);
});

test('another TPM is refused with its own key, until somebody says that it was exchanged', async () => {
  const own = node.tpm;
  node.tpm = paperTpm();
  try {
    assert.deepEqual((await attest(release)).reasons, ['other-machine']);
    assert.deepEqual(
      (await attest('--enrol', release)).reasons,
      ['other-machine'],
      'enrol alone takes no other',
    );
    const replaced = await attest('--enrol', '--replace', release);
    assert.deepEqual([replaced.verdict, replaced.enrolledNow], ['pass', true]);
  } finally {
    node.tpm = own;
  }
  assert.deepEqual((await attest(release)).reasons, ['other-machine']);
  assert.equal((await attest('--enrol', '--replace', release)).verdict, 'pass');
});

test('a node that cannot open the credential is not enrolled', async () => {
  const own = node.tpm;
  node.tpm = { ...own, activate: () => undefined };
  try {
    await fleet.refused(/attest\/enrolment-refused/, 'attest', '--enrol', '--replace', release);
    // With its own endorsement key and the attestation key of another machine.
    node.tpm = { ...own, akPublic: paperTpm().akPublic };
    await fleet.refused(/attest\/enrolment-refused/, 'attest', '--enrol', '--replace', release);
  } finally {
    node.tpm = own;
  }
});

test('a maker has to vouch for the TPM where authorities are named', async () => {
  const file = join(fleet.folder, 'authorities.pem');
  await writeFile(file, '');
  const refusal = /attest\/enrolment-refused.*no certificate of its maker/s;
  await fleet.refused(refusal, 'attest', '--enrol', '--replace', '--ek-authority', file, release);
});

test('a node does not go back behind a release it passed with, unless it may', async () => {
  const newer = await writeRelease('0.2.0', boot.reference);
  assert.equal((await attest(newer)).verdict, 'pass');
  assert.deepEqual((await attest(release)).reasons, ['downgrade']);
  assert.equal((await attest(release, '--older')).verdict, 'pass');
  assert.equal((await attest(release)).verdict, 'pass');
});

test('a difference is shown with what was expected and what was found', async () => {
  const other = await writeRelease('0.3.0', withOtherUki());
  const { stdout, exitCode } = await fleet.plinth('attest', other);
  assert.equal(exitCode, 3);
  assert.match(stdout, /4 {2}missing {5}abababababab {2}<none> +UKI\n/);
  assert.match(stdout, /4 {2}unexpected {2}<none> +d264eb3d3c09 {2}efi-boot-services-application/);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
});

test('registers that the logs do not lead to are refused', async () => {
  node.registers = new Map<number, string>([...boot.registers, [13, 'cd'.repeat(32)]]);
  try {
    assert.deepEqual((await attest(release)).reasons, ['log-edited']);
  } finally {
    node.registers = boot.registers;
  }
});

test('a repository stands for all its releases', async () => {
  const targets = join(fleet.folder, 'repository', 'targets');
  await mkdir(targets, { recursive: true });
  for (const [folder, version] of [
    [release, '0.1.0'],
    [await writeRelease('0.5.0', withOtherUki()), '0.5.0'],
  ] as const) {
    const prefix = `plinth_${version}_x86-64`;
    for (const [from, to] of [
      [`${prefix}.reference.json`, `${prefix}.reference.json`],
      ['SHA256SUMS', `${prefix}.SHA256SUMS`],
      ['SHA256SUMS.p7s', `${prefix}.SHA256SUMS.p7s`],
    ] as const) {
      await copyFile(join(folder, from), join(targets, to));
    }
  }
  const shown = await fleet.ok('attest', join(fleet.folder, 'repository'), '--older');
  assert.match(shown, /release +plinth 0\.1\.0/);
});

test('reference values count only as they were signed by a key that is trusted', async () => {
  const foreign = await writeRelease('0.4.0', boot.reference);
  const path = join(foreign, 'plinth_0.4.0_x86-64.reference.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace('UKI', 'UKi'));
  await fleet.refused(/attest\/reference-invalid.*not the file that was signed/s, 'attest', foreign);
  const stranger = join(fleet.folder, 'stranger');
  await initKeys(stranger);
  await fleet.refused(/trust\/signature-invalid/, 'attest', release, '--trust', stranger);
});

test('what a node tells of itself cannot write to the terminal', async () => {
  const sound = node.told;
  node.told = { ...sound, selinux: '\u001b[2Jon', lockdown: 'x\nverdict  pass' };
  try {
    const { stdout } = await fleet.plinth('attest', release);
    assert.equal(stdout.includes('\u001b'), false);
    assert.doesNotMatch(stdout, /^verdict {2}pass$/m);
  } finally {
    node.told = sound;
  }
});

test('a damaged book is no reason to believe another TPM', async () => {
  await writeBook((entry) => ({ ...entry, akPublic: 'not hexadecimal' }));
  await fleet.refused(/attest\/book-invalid/, 'attest', '--enrol', release);
});
