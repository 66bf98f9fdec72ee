import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { RecoveryKeyState, VarKeyKind, VarKeyService } from '@plinth/api';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';

const KEY = Array(8).fill('cbdefghi').join('-');
const SLOTS = [
  { slot: 0, kind: VarKeyKind.TPM2, signedPcrs: [11] },
  { slot: 1, kind: VarKeyKind.RECOVERY },
];

let fleet: FakeFleet;
let identity: string;
let recipient: string;
const VOLUME = '4f1c9b52-6f0e-4d2c-9c58-0f3c3f9f4d11';
/** Of the node: where in the cluster it has brought its key. */
let place = '';
/** Of the node: whether it still has its key, and what it was asked. */
let kept = true;
let asked: string[] = [];

before(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  fleet = await fakeFleet({
    name: 'n1',
    more: [
      (router) =>
        router.service(VarKeyService, {
          getVarKeys: () => ({
            ...{ encrypted: true, open: true, slots: SLOTS },
            recovery: kept ? RecoveryKeyState.KEPT : RecoveryKeyState.TAKEN,
            takenBy: 'ann',
            volumeId: VOLUME,
            ...(place !== '' && { escrow: { place, volumeId: VOLUME } }),
          }),
          takeRecoveryKey: () => {
            asked.push('take');
            if (!kept) throw new ConnectError('taken', Code.FailedPrecondition);
            kept = false;
            return { recoveryKey: KEY };
          },
          renewRecoveryKey: () => {
            asked.push('renew');
            return {};
          },
          reseal: ({ recoveryKey }) => {
            asked.push(`reseal ${recoveryKey}`);
            return { slots: SLOTS };
          },
        }),
    ],
  });
});
beforeEach(() => {
  kept = true;
  place = '';
  asked = [];
});
after(() => fleet[Symbol.asyncDispose]());

test('var show says what opens /var, and that nobody has the recovery key yet', async () => {
  const shown = await fleet.ok('var', 'show');
  assert.match(shown, /^encrypted +yes, LUKS2$/m);
  assert.match(shown, /^recovery key +NOT TAKEN YET/m);
  assert.match(shown, /^ *0 +TPM +a value of PCR 11 that the release signs$/m);
  assert.match(shown, /^ *1 +recovery key +any$/m);
});

test('var show says which Secret of the cluster has the recovery key, and by which name', async () => {
  assert.match(
    await fleet.ok('var', 'show'),
    /^in the cluster +not yet; a member of a cluster brings it there$/m,
  );
  place = 'kube-system/plinth-var-key-n1';
  const shown = await fleet.ok('var', 'show');
  assert.match(shown, /^in the cluster +Secret kube-system\/plinth-var-key-n1, at /m);
  assert.match(shown, new RegExp(`^volume +${VOLUME}$`, 'm'));
});

test('var recovery-key writes the key for its recipient only, and never prints it', async () => {
  const path = join(fleet.folder, 'n1.age');
  const { stdout, stderr, exitCode } = await fleet.plinth(
    'var',
    'recovery-key',
    path,
    '--recipient',
    recipient,
  );
  assert.equal(exitCode, 0, stderr);
  assert.ok(!`${stdout}${stderr}`.includes(KEY));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const sealed = await readFile(path);
  assert.ok(!sealed.includes(KEY));
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  assert.equal(await decrypter.decrypt(sealed, 'text'), `${KEY}\n`);
});

test('var recovery-key asks the node for nothing while anything is wrong here', async () => {
  const path = join(fleet.folder, 'there.age');
  await writeFile(path, '');
  await fleet.refused(/nobody is named/, 'var', 'recovery-key', join(fleet.folder, 'new.age'));
  await fleet.refused(/without a mistake|public key/, 'var', 'recovery-key', '--recipient', `${recipient}x`);
  await fleet.refused(/there\.age/, 'var', 'recovery-key', path, '--recipient', recipient);
  await fleet.refused(/there\.age/, 'var', 'recovery-key', join(path, 'x.age'), '--recipient', recipient);
  await fleet.refused(/--renew/, 'var', 'recovery-key', '--renew', '--recipient', recipient);
  assert.deepEqual(asked, []);
});

test('var recovery-key leaves no file behind when the node gives nothing', async () => {
  kept = false;
  const path = join(fleet.folder, 'none.age');
  await fleet.refused(/taken/, 'var', 'recovery-key', path, '--recipient', recipient);
  assert.ok(!(await readdir(fleet.folder)).includes('none.age'));
});

test('var recovery-key --renew only asks for another', async () => {
  assert.match(await fleet.ok('var', 'recovery-key', '--renew'), /next start makes a new recovery key/);
  assert.deepEqual(asked, ['renew']);
});

test('var reseal takes the key from a file, without the line break at its end', async () => {
  const path = join(fleet.folder, 'key');
  await writeFile(path, `${KEY}\n`);
  const shown = await fleet.ok('var', 'reseal', path);
  assert.deepEqual(asked, [`reseal ${KEY}`]);
  assert.ok(!shown.includes(KEY));
  assert.match(shown, /plinth reboot --wait/);
});
