import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSys } from '../testing/fake-sys.ts';
import { soundNode } from '../testing/sound-node.ts';
import { listCgroups, walkCgroups } from './list-cgroups.ts';
import { listDisks } from './list-disks.ts';
import { isOfHost, listMounts } from './list-mounts.ts';
import { listSockets } from './list-sockets.ts';

const GROUP = '/sys/fs/cgroup';
const POD = '0b8f6c7a-52b1-4b8e-9d3c-3f2a1e0d9c8b';
const POD_GROUP = `/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice`;

function group(path: string, procs: string, memory: string) {
  return {
    [`${GROUP}${path}/cgroup.procs`]: procs,
    [`${GROUP}${path}/cgroup.type`]: 'domain\n',
    [`${GROUP}${path}/cpu.stat`]: 'usage_usec 2500000\nuser_usec 1\n',
    [`${GROUP}${path}/memory.current`]: `${memory}\n`,
    [`${GROUP}${path}/memory.max`]: 'max\n',
    [`${GROUP}${path}/memory.events`]: 'low 0\noom 1\noom_kill 2\n',
    [`${GROUP}${path}/pids.current`]: '3\n',
  };
}

function node() {
  const sound = soundNode();
  return {
    ...sound,
    files: {
      ...sound.files,
      '/etc/passwd': 'root:x:0:0::/:/x\n',
      [`${GROUP}/cgroup.controllers`]: 'cpu memory\n',
      [`${GROUP}/cpu.stat`]: 'usage_usec 9\n',
      ...group('/system.slice/plinthd.service', '127\n', '50000000'),
      ...group(POD_GROUP, '', '70000000'),
      ...group(`${POD_GROUP}/cri-containerd-${'ab'.repeat(32)}.scope`, '811\n812\n', '70000000'),
      '/proc/127/comm': 'plinthd\n',
      '/proc/net/tcp':
        '   0: 00000000:1D7A 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 501 1 0\n   1: 00000000:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65532 0 502 1 0\n',
      '/proc/net/tcp6': '',
      '/proc/net/udp': '',
    },
  };
}

test('sockets have the unit or pod that made them, also where ss knows no more than a number', async () => {
  const container = `${POD_GROUP}/cri-containerd-${'ab'.repeat(32)}.scope`;
  const sys = fakeSys({
    ...node(),
    statuses: {
      [`${GROUP}/system.slice/plinthd.service`]: { inode: 0x1a2b },
      [`${GROUP}${container}`]: { inode: 0x77 },
    },
    programs: {
      '/usr/bin/ss -H -n -t -u -a -e --cgroup':
        'tcp LISTEN 0 128 0.0.0.0:7546 0.0.0.0:* ino:501 sk:1 cgroup:unreachable:1a2b <->\ntcp LISTEN 0 128 0.0.0.0:9100 0.0.0.0:* uid:65532 ino:502 sk:2 cgroup:unreachable:77 <->\n',
    },
  });
  const { sockets, total, notObserved } = await listSockets(sys, { listeningOnly: true });
  assert.deepEqual(
    sockets?.map(({ localPort, user, unit, podUid, pid, process }) => [
      localPort,
      user,
      unit,
      podUid,
      pid,
      process,
    ]),
    [
      [7546, 'root', 'plinthd.service', '', 127, 'plinthd'],
      [9100, '65532', '', POD, 0, ''],
    ],
  );
  assert.equal(total, 2);
  assert.match(notObserved?.join() ?? '', /processes of some sockets \(1\)/);
});

test('without ss sockets are listed and their owners are said to be unknown', async () => {
  const { sockets, notObserved } = await listSockets(fakeSys(node()), { listeningOnly: true });
  assert.equal(sockets?.length, 2);
  assert.match(notObserved?.join() ?? '', /owners: /);
});

test('control groups are a tree; what lies below pods is shown when asked for', async () => {
  const signal = new AbortController().signal;
  const sys = fakeSys(node());
  const found = await listCgroups(sys, { sampleMs: 0, containers: false, signal });
  assert.deepEqual(
    found.cgroups?.map(({ path, depth }) => `${depth} ${path}`),
    // The slices between have no files here, so they count as ended.
    ['0 /', `2 ${POD_GROUP}`, '2 /system.slice/plinthd.service'],
  );
  const pod = found.cgroups?.find(({ podUid }) => podUid === POD);
  assert.deepEqual(
    [pod?.memoryBytes, pod?.memoryLimitBytes, pod?.tasks, pod?.oomKills],
    [70_000_000n, undefined, 3n, 2n],
  );
  const all = await listCgroups(sys, { sampleMs: 0, containers: true, signal });
  assert.equal((all.total ?? 0) - (found.total ?? 0), 1);
  await assert.rejects(
    walkCgroups(fakeSys({}), GROUP, () => true),
    /ENOENT/,
  );
});

test('a disk is told with its volumes, and the verified root among them', async () => {
  const sound = node();
  const dm = '/sys/class/block/dm-0';
  const sys = fakeSys({
    ...sound,
    links: { '/sys/block/vda': '../devices/pci0000:00/0000:00:05.0/virtio2/block/vda' },
    files: {
      ...sound.files,
      '/sys/block/vda/size': '20971520\n',
      '/sys/block/vda/serial': 'os\n',
      '/sys/block/vda/queue/rotational': '1\n',
      '/sys/block/sr0/size': '0\n',
      '/sys/class/block/vda/vda2/partition': '2\n',
      '/sys/class/block/vda2/holders/dm-0/x': '',
      [`${dm}/uevent`]: 'MAJOR=253\nMINOR=0\nDEVNAME=dm-0\n',
      [`${dm}/size`]: '221184\n',
      [`${dm}/ro`]: '1\n',
      [`${dm}/dm/name`]: 'root\n',
      [`${dm}/dm/uuid`]: 'CRYPT-VERITY-0-root\n',
      [`${dm}/slaves/vda2/x`]: '',
    },
  });
  const { disks, notObserved } = await listDisks(sys);
  const [disk] = disks ?? [];
  assert.deepEqual(
    [disks?.length, disk?.name, disk?.transport, disk?.serial, disk?.sizeBytes],
    [1, 'vda', 'virtio', 'os', 10_737_418_240n],
  );
  assert.notEqual(disk?.smartUnread, '');
  assert.deepEqual(
    disk?.volumes?.map(({ name, kind }) => `${name} ${kind}`),
    ['vda2 partition', 'dm-0 verity'],
  );
  const root = disk?.volumes?.[1];
  assert.deepEqual(
    [root?.mountedAt, root?.fileSystem, root?.verityState, root?.veritySigned, root?.madeOf, root?.readOnly],
    ['/', 'erofs', 'verified', true, ['vda2'], true],
  );
  assert.deepEqual(notObserved, []);
});

test('a file system that another machine serves is not asked for its use', async () => {
  const asked: string[] = [];
  const base = fakeSys({
    files: {
      '/proc/1/mountinfo':
        '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:50 / /mnt/nas rw - nfs4 nas:/x rw\n3 1 0:51 / /proc rw - proc proc rw\n4 1 0:52 / /run/credentials/x ro - tmpfs none rw\n5 1 8:1 /sub /mnt/again rw - ext4 /dev/sda1 rw\n',
    },
  });
  const sys = {
    ...base,
    usage: (path: string) => {
      asked.push(path);
      return base.usage(path);
    },
  };
  const { mounts, total } = await listMounts(sys, { all: false });
  assert.deepEqual(
    mounts?.map(({ target }) => target),
    ['/', '/mnt/nas', '/mnt/again'],
  );
  assert.equal(total, 5);
  // Each file system once, whatever it is mounted at.
  assert.deepEqual(asked, ['/']);
  assert.deepEqual([mounts?.[0]?.usage?.usedBytes, mounts?.[2]?.usage?.usedBytes], [500n, 500n]);
  assert.match(mounts?.[1]?.usageUnread ?? '', /may not answer/);
  assert.equal(isOfHost({ target: '/var/lib/kubelet/pods/x/volumes/y', fileSystem: 'tmpfs' }), false);
});
