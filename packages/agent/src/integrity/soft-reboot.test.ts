import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { judgeBootEnd } from '../machine/judge-boot-end.ts';
import { readSystemStart } from '../reports/system-start.ts';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { imagePathRules } from '../testing/paths.ts';
import { ROOT_HASH, soundNode } from '../testing/sound-node.ts';
import { collectIntegrity } from './collect-integrity.ts';

const OLD_HASH = '5a'.repeat(32);
const TABLE = '/usr/sbin/dmsetup table nextroot';

/** The sound node after a soft-reboot: its root is on another device, and the kernel was started for another one. */
function softNode(change: (table: string) => string = (table) => table): FakeMachine {
  const node = soundNode();
  const programs = node.programs ?? {};
  const table = programs['/usr/sbin/dmsetup table root'];
  const status = programs['/usr/sbin/dmsetup status root'];
  assert.ok(typeof table === 'string' && status !== undefined);
  return {
    ...node,
    files: {
      ...node.files,
      '/sys/dev/block/253:0/dm/name': 'nextroot\n',
      '/proc/cmdline': `quiet roothash=${OLD_HASH}\n`,
      '/run/plinth/root.p7s': 'the signature of the version before',
      '/run/plinth/nextroot/root.p7s': 'signature',
    },
    programs: { ...programs, [TABLE]: change(table), '/usr/sbin/dmsetup status nextroot': status },
  };
}

const observe = async (machine: FakeMachine) => {
  const { checks } = await collectIntegrity(fakeSys(machine), imagePathRules(), []);
  return (id: string) => checks.find((check) => check.id === id);
};

suite('integrity after a soft-reboot', () => {
  test('the root passes by the signature that the kernel checked; both hashes are named', async () => {
    const check = await observe(softNode());
    assert.equal(check('root-hash')?.verdict, 'pass');
    assert.equal(
      check('root-hash')?.observed,
      `${ROOT_HASH}, gone to by soft-reboot and signed by key "cryptsetup:plinth-root"; the firmware started ${OLD_HASH}`,
    );
    assert.equal(check('slot-signature')?.verdict, 'pass');
  });

  test('a root that nobody signed fails', async () => {
    const check = await observe(
      softNode((table) =>
        table.replace(
          '3 panic_on_corruption root_hash_sig_key_desc cryptsetup:plinth-root',
          '1 panic_on_corruption',
        ),
      ),
    );
    assert.equal(check('root-hash')?.verdict, 'fail');
    assert.match(check('root-hash')?.observed ?? '', /signed by nobody/);
  });

  test('the measurements are said to be of the version that the firmware started', async () => {
    const check = await observe(softNode());
    assert.equal(check('measured-boot')?.verdict, 'pass');
    assert.match(
      check('measured-boot')?.observed ?? '',
      new RegExp(
        `of the version that the firmware started \\(root hash ${OLD_HASH}\\), not of the one that runs`,
      ),
    );
    const before = await observe(soundNode());
    assert.doesNotMatch(before('measured-boot')?.observed ?? '', /soft-reboot/);
  });

  test('another root than that of the command line is none of a soft-reboot by itself', async () => {
    const node = softNode();
    const files = { ...node.files, '/sys/dev/block/253:0/dm/name': 'root\n' };
    const check = await observe({ ...node, files });
    assert.equal(check('root-hash')?.verdict, 'fail');
  });
});

suite('the start of a system', () => {
  test('has an id of its own after a soft-reboot, and that of the kernel otherwise', async () => {
    const bootId = '0d0c5a0e-1b1f-4c43-9d55-0c0b1f0a2f11';
    assert.deepEqual(await readSystemStart(fakeSys(soundNode())), { bootId, startId: bootId, soft: false });
    const soft = await readSystemStart(fakeSys(softNode()));
    assert.deepEqual(soft, { bootId, startId: `${bootId}+1`, soft: true });
    assert.deepEqual(await readSystemStart(fakeSys({})), { bootId: '', startId: '', soft: false });
  });

  test('by soft-reboot: what the kernel tells of an earlier end does not count', () => {
    const end = judgeBootEnd({
      ...{ soft: true, hadBootBefore: true, ask: undefined, crashRecords: ['old'], watchdog: true },
      ...{ varWasClean: false, lastWords: '' },
    });
    assert.deepEqual(
      [end.kind, end.evidence],
      ['reboot', ['user space ended for a soft-reboot; the kernel went on']],
    );
  });
});
