import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCheck } from '../checks/check.ts';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { ROOT_HASH, SOUND_MOUNTS, soundNode } from '../testing/sound-node.ts';
import { layerCheck, layerRootHashes } from './layer-check.ts';

const HASH = 'a6'.repeat(32);
const DEVICE = `${HASH}-verity`;
const OVERLAY =
  '50 24 0:44 / /usr ro,nodev,relatime shared:30 - overlay sysext ro,lowerdir=/run/systemd/sysext/meta/usr:/usr\n';
const TABLE = `0 205272 verity 1 253:33 253:34 4096 4096 25659 1 sha256 ${HASH} ${'70'.repeat(32)}`;
const SIGNED = `${TABLE} 2 root_hash_sig_key_desc cryptsetup:64fbbd06-${DEVICE}\n`;

/** A sound node with a layer over /usr, in the shape systemd 257 leaves it. */
function merged(programs: Record<string, string>): FakeMachine {
  const node = soundNode();
  return {
    ...node,
    files: {
      ...node.files,
      '/proc/1/mountinfo': SOUND_MOUNTS + OVERLAY,
      '/sys/class/block/dm-0/dm/name': 'root\n',
      '/sys/class/block/dm-1/dm/name': `${DEVICE}\n`,
    },
    programs: { ...node.programs, ...programs },
  };
}

const check = (machine: FakeMachine) => runCheck(layerCheck, fakeSys(machine));
const table = `/usr/sbin/dmsetup table ${DEVICE}`;
const status = `/usr/sbin/dmsetup status ${DEVICE}`;

test('a node without a layer passes, whatever else is mapped', async () => {
  const { verdict, observed } = await check(soundNode());
  assert.deepEqual([verdict, observed], ['pass', 'no layer is merged']);
});

test('a layer passes with its root hash when the kernel checked its signature', async () => {
  const found = await check(merged({ [table]: SIGNED, [status]: '0 205272 verity V\n' }));
  assert.deepEqual([found.verdict, found.observed], ['pass', HASH]);
  assert.notEqual(found.observed, ROOT_HASH);
});

test('a layer without a signature, with a corrupted block, or from nowhere fails', async () => {
  const unsigned = await check(merged({ [table]: `${TABLE}\n`, [status]: '0 205272 verity V\n' }));
  assert.match(`${unsigned.verdict} ${unsigned.observed}`, /^fail .*no signature/);
  const corrupted = await check(merged({ [table]: SIGNED, [status]: '0 205272 verity C\n' }));
  assert.match(`${corrupted.verdict} ${corrupted.observed}`, /^fail .*corrupted block/);
  const nowhere = await check(merged({ [table]: '0 100 linear 8:1 0\n' }));
  assert.match(`${nowhere.verdict} ${nowhere.observed}`, /^fail .*no dm-verity device/);
});

test('a layer that cannot be looked at is unknown', async () => {
  assert.equal((await check(merged({}))).verdict, 'unknown');
  assert.equal((await check(merged({ [table]: SIGNED, [status]: 'nothing\n' }))).verdict, 'unknown');
});

test('a device that is being removed is no layer any more; one that cannot be read for another reason is unknown', async () => {
  const sound = merged({ [table]: SIGNED, [status]: '0 205272 verity V\n' });
  const files = { ...sound.files, '/sys/class/block/dm-2/dm/name': 'leaving\n' };
  const broken = (code: string) => ({ ...sound, files, broken: { '/sys/class/block/dm-2/dm/name': code } });
  assert.equal((await check(broken('EINVAL'))).observed, HASH);
  assert.equal((await check(broken('EIO'))).verdict, 'unknown');
});

test('the merged layers are told by the root hashes that the kernel found signed, and the root is not among them', async () => {
  const told = (machine: FakeMachine) => layerRootHashes(fakeSys(machine));
  assert.deepEqual(await told(soundNode()), []);
  assert.deepEqual(await told(merged({ [table]: SIGNED })), [HASH]);
  assert.deepEqual(await told(merged({ [table]: `${TABLE}\n` })), []);
  await assert.rejects(told(merged({})));
});
