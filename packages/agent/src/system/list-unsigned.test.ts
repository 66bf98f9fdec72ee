import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedDevices } from '../integrity/layer-check.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { SOUND_MOUNTS, soundNode } from '../testing/sound-node.ts';
import { groupByProcess, listUnsigned } from './list-unsigned.ts';

const POD = '0b8f6c7a-52b1-4b8e-9d3c-3f2a1e0d9c8b';
const CGROUP = `/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${'ab'.repeat(32)}.scope`;

/** The sound node whose root, and a device of another kind, are in the list of block devices. */
function node(changes: Readonly<Record<string, string>> = {}) {
  const sound = soundNode();
  return {
    ...sound,
    files: {
      ...sound.files,
      '/sys/class/block/dm-0/dm/name': 'root\n',
      '/sys/class/block/dm-0/dev': '253:0\n',
      '/sys/class/block/dm-1/dm/name': 'data\n',
      '/sys/class/block/dm-1/dev': '253:1\n',
      '/usr/lib/os-release': 'ID=plinth\nPLINTH_EXECUTE=audit\n',
      ...changes,
    },
    programs: { ...sound.programs, '/usr/sbin/dmsetup table data': '0 8192 linear 254:8 0\n' },
  };
}

test('signed are the volumes that the kernel checked, and the overlay of layers that nobody can write to', async () => {
  assert.deepEqual(await signedDevices(fakeSys(node())), ['253:0']);
  const overlay = (options: string) =>
    `${SOUND_MOUNTS}90 24 0:55 / /usr ro,relatime shared:9 - overlay sysext ro,lowerdir=/a:/b${options}\n`;
  const merged = fakeSys(node({ '/proc/1/mountinfo': overlay('') }));
  assert.deepEqual(await signedDevices(merged), ['253:0', '0:55']);
  const writable = fakeSys(node({ '/proc/1/mountinfo': overlay(',upperdir=/c') }));
  assert.deepEqual(await signedDevices(writable), ['253:0']);
});

test('a process is told once, with its files and whether it writes code', () => {
  const mapping = (pid: number, path: string) => ({ pid, name: 'app', cgroup: CGROUP, device: '0:40', path });
  assert.deepEqual(groupByProcess([mapping(9, '/z'), mapping(9, '/a'), mapping(7, ''), mapping(9, '')]), [
    {
      ...{ pid: 7, name: 'app', cgroup: CGROUP, unit: '', podUid: POD, containerId: 'ab'.repeat(32) },
      ...{ files: [], writesCode: true },
    },
    {
      ...{ pid: 9, name: 'app', cgroup: CGROUP, unit: '', podUid: POD, containerId: 'ab'.repeat(32) },
      ...{ files: ['/a', '/z'], writesCode: true },
    },
  ]);
});

test('nobody looks at the level "open", and nothing is told apart without a signed volume', async () => {
  const open = fakeSys(node({ '/usr/lib/os-release': 'PLINTH_EXECUTE=open\n' }));
  await assert.rejects(listUnsigned(open), /level "open"/);
  const machine = node();
  const table = '0 221184 verity 1 254:2 254:3 4096 4096 27648 1 sha256 4f4f aa\n';
  const unsigned = { ...machine, programs: { ...machine.programs, '/usr/sbin/dmsetup table root': table } };
  await assert.rejects(listUnsigned(fakeSys(unsigned)), /no signature/);
});
