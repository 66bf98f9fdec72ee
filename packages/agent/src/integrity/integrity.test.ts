import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { overallVerdict, type Verdict } from '../checks/check.ts';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { imagePathRules } from '../testing/paths.ts';
import { efiVariable, PID_1_STATUS, ROOT_HASH, SOUND_MOUNTS, soundNode } from '../testing/sound-node.ts';
import { collectIntegrity } from './collect-integrity.ts';

const rules = imagePathRules();
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SECURE_BOOT = `/sys/firmware/efi/efivars/SecureBoot-${GLOBAL}`;
const IPE = '/sys/kernel/security/ipe';
const TABLE = '/usr/sbin/dmsetup table root';

function collect(machine: FakeMachine) {
  return collectIntegrity(fakeSys(machine), rules, []);
}

/** The sound node with some files replaced; undefined takes one away. */
function withFiles(changes: Readonly<Record<string, string | Uint8Array | undefined>>): FakeMachine {
  const node = soundNode();
  const kept = Object.entries({ ...node.files, ...changes }).flatMap(([path, content]) =>
    content === undefined ? [] : [[path, content] as const],
  );
  return { ...node, files: Object.fromEntries(kept) };
}

function withProgram(command: string, answer: NonNullable<FakeMachine['programs']>[string]): FakeMachine {
  const node = soundNode();
  return { ...node, programs: { ...node.programs, [command]: answer } };
}

test('collectIntegrity passes a sound node, with every check', async () => {
  const integrity = await collect(soundNode());
  const bad = integrity.checks.filter(({ verdict }) => verdict !== 'pass');
  assert.deepEqual(bad, []);
  assert.equal(integrity.verdict, 'pass');
  assert.equal(integrity.rootHash, ROOT_HASH);
  assert.equal(integrity.pcrs.length, 16);
  assert.match(integrity.pcrs[11]?.sha256 ?? '', /^(0c){32}$/);
  assert.equal(integrity.mounts.find(({ target }) => target === '/')?.writable, false);
});

/** One thing wrong, and the one check that must tell. */
const faults: readonly (readonly [what: string, id: string, verdict: Verdict, machine: FakeMachine])[] = [
  ['no UEFI', 'secure-boot', 'fail', withFiles({ [SECURE_BOOT]: undefined })],
  ['Secure Boot off', 'secure-boot', 'fail', withFiles({ [SECURE_BOOT]: efiVariable(Uint8Array.of(0)) })],
  [
    'setup mode',
    'secure-boot',
    'fail',
    withFiles({ [`/sys/firmware/efi/efivars/SetupMode-${GLOBAL}`]: efiVariable(Uint8Array.of(1)) }),
  ],
  ['an unreadable variable', 'secure-boot', 'unknown', { ...soundNode(), broken: { [SECURE_BOOT]: 'EIO' } }],
  [
    'an unreadable TPM',
    'measured-boot',
    'unknown',
    { ...soundNode(), broken: { '/sys/class/tpm/tpm0/pcr-sha256/0': 'EIO' } },
  ],
  [
    'nothing in PCR 11',
    'measured-boot',
    'fail',
    withFiles({ '/sys/class/tpm/tpm0/pcr-sha256/11': '0'.repeat(64) }),
  ],
  [
    'a plain /var',
    'var-encrypted',
    'fail',
    withFiles({
      '/proc/1/mountinfo': SOUND_MOUNTS.replace('253:1 / /var', '254:8 / /var'),
    }),
  ],
  [
    'a /var on something mapped that does not encrypt',
    'var-encrypted',
    'fail',
    withProgram('/usr/sbin/dmsetup table var', '0 4128768 linear 254:8 0\n'),
  ],
  [
    'an encrypted /var that nobody made a header for',
    'var-encrypted',
    'fail',
    withFiles({ '/sys/dev/block/253:1/dm/uuid': 'CRYPT-PLAIN-var\n' }),
  ],
  [
    'a device mapper that does not answer',
    'var-encrypted',
    'unknown',
    withProgram('/usr/sbin/dmsetup table var', { exitCode: 1, stdout: '', stderr: 'no' }),
  ],
  [
    'no lockdown',
    'lockdown',
    'fail',
    withFiles({ '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n' }),
  ],
  ['no policy of IPE', 'ipe', 'fail', withFiles({ [`${IPE}/policies/plinth/active`]: '0\n' })],
  ['another policy', 'ipe', 'fail', withFiles({ [`${IPE}/policies/other/active`]: '1\n' })],
  ['a policy with other rules', 'ipe', 'fail', withFiles({ [`${IPE}/policies/plinth/policy`]: 'other\n' })],
  ['IPE that only reports', 'ipe', 'fail', withFiles({ [`${IPE}/enforce`]: '0\n' })],
  ['a kernel without IPE', 'ipe', 'fail', withFiles({ [`${IPE}/enforce`]: undefined })],
  ['an image without its policy', 'ipe', 'unknown', withFiles({ '/usr/lib/plinth/ipe.policy': undefined })],
  [
    'PID 1 that may change policies',
    'mac-admin',
    'fail',
    withFiles({ '/proc/1/status': PID_1_STATUS.replace('Bnd:\t000001fd', 'Bnd:\t000001ff') }),
  ],
  ['no word of PID 1', 'mac-admin', 'unknown', withFiles({ '/proc/1/status': 'Name:\tsystemd\n' })],
  ['no IPE', 'security-modules', 'fail', withFiles({ '/sys/kernel/security/lsm': 'capability,selinux\n' })],
  [
    'unsigned modules',
    'signed-modules',
    'fail',
    withFiles({ '/sys/module/module/parameters/sig_enforce': 'N\n' }),
  ],
  ['a foreign module', 'kernel-taint', 'fail', withFiles({ '/proc/sys/kernel/tainted': '4096\n' })],
  ['SELinux that only reports', 'selinux', 'fail', withFiles({ '/sys/fs/selinux/enforce': '0' })],
  ['SELinux off', 'selinux', 'fail', withFiles({ '/sys/fs/selinux/enforce': undefined })],
  [
    'a program without a domain',
    'selinux-domains',
    'fail',
    withFiles({ '/proc/7/cmdline': '/tmp/x\0', '/proc/7/attr/current': 'system_u:system_r:kernel_t:s0\0' }),
  ],
  ['no labels', 'selinux-domains', 'unknown', withFiles({ '/proc/1/attr/current': undefined })],
  [
    'a root without dm-verity',
    'root-verity',
    'fail',
    withFiles({ '/sys/dev/block/253:0/dm/name': undefined }),
  ],
  ['a linear root', 'root-verity', 'fail', withProgram(TABLE, '0 8192 linear 254:2 0\n')],
  ['another root hash', 'root-hash', 'fail', withFiles({ '/proc/cmdline': `roothash=${'00'.repeat(32)}\n` })],
  ['no root hash on the command line', 'root-hash', 'fail', withFiles({ '/proc/cmdline': 'ro\n' })],
  [
    'no signature',
    'root-signature',
    'fail',
    withProgram(TABLE, `0 221184 verity 1 254:2 254:3 4096 4096 27648 1 sha256 ${ROOT_HASH} aa\n`),
  ],
  [
    'a corrupted block',
    'root-corruption',
    'fail',
    withProgram('/usr/sbin/dmsetup status root', '0 221184 verity C\n'),
  ],
  ['no status', 'root-corruption', 'unknown', withProgram('/usr/sbin/dmsetup status root', '\n')],
  ['no dmsetup', 'root-signature', 'unknown', { ...soundNode(), programs: {} }],
  [
    'an unreadable mount table',
    'mounts',
    'unknown',
    { ...soundNode(), broken: { '/proc/1/mountinfo': 'EACCES' } },
  ],
];

for (const [what, id, verdict, machine] of faults) {
  test(`collectIntegrity tells ${what}: ${id} is ${verdict}`, async () => {
    const integrity = await collect(machine);
    const found = integrity.checks.find((check) => check.id === id);
    assert.equal(found?.verdict, verdict);
    assert.notEqual(found?.fix, '');
    assert.notEqual(integrity.verdict, 'pass');
  });
}

/** One line of the mount table replaced, and what the judgement must say of it. */
const mounts: readonly (readonly [what: string, from: RegExp | string, to: string, difference: RegExp])[] = [
  [
    'a writable root',
    /^24 .*$/m,
    '24 1 254:2 / / rw - ext4 /dev/vda2 rw',
    /\/: it is ext4, expected erofs-verity; it is writable/,
  ],
  [
    'a /var that executes',
    'rw,nosuid,nodev,noexec,relatime shared:14',
    'rw,nosuid,nodev,relatime shared:14',
    /\/var: it lacks noexec/,
  ],
  [
    'a /var in memory',
    'ext4 /dev/mapper/var',
    'tmpfs plinth-var-memory',
    /\/var: it is tmpfs, expected disk/,
  ],
  ['a /tmp with devices', '/tmp rw,nosuid,nodev,noexec', '/tmp rw,nosuid,noexec', /\/tmp: it lacks nodev/],
  [
    'a mount nobody knows',
    /$/,
    '50 24 0:50 / /opt rw - tmpfs tmpfs rw\n',
    /\/opt: no rule of the path table covers it/,
  ],
  ['a mount over /usr', /$/, '51 24 0:51 / /usr/lib ro - overlay overlay ro\n', /\/usr\/lib: no rule/],
  ['a missing /etc', /^35 .*\n/m, '', /\/etc: it is not mounted/],
];

for (const [what, from, to, difference] of mounts) {
  test(`collectIntegrity tells ${what}`, async () => {
    const changed = SOUND_MOUNTS.replace(from, to);
    assert.notEqual(changed, SOUND_MOUNTS);
    const { checks } = await collect(withFiles({ '/proc/1/mountinfo': changed }));
    const check = checks.find(({ id }) => id === 'mounts');
    assert.equal(check?.verdict, 'fail');
    assert.match(check.observed, difference);
  });
}

test('collectIntegrity never passes and never throws on a machine that tells nothing', async () => {
  const integrity = await collect({});
  assert.notEqual(integrity.verdict, 'pass');
  assert.ok(integrity.checks.every(({ verdict }) => verdict !== 'pass'));
});

test('overallVerdict passes only if all pass', () => {
  const verdict = fc.constantFrom<Verdict[]>('pass', 'fail', 'unknown');
  fc.assert(
    fc.property(fc.array(verdict), (verdicts) => {
      const all = verdicts.length > 0 && verdicts.every((one) => one === 'pass');
      assert.equal(overallVerdict(verdicts) === 'pass', all);
    }),
  );
});
