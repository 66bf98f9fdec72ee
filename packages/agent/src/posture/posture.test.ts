import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FactState } from '@plinth/api';
import fc from 'fast-check';
import { type FakeMachine, fakeSys } from '../testing/fake-sys.ts';
import { SOUND_MOUNTS, soundNode } from '../testing/sound-node.ts';
import { parseAccounts, parseGroups } from './accounts.ts';
import { collectFacts } from './collect-facts.ts';
import type { ClusterFacts } from './fact-readers.ts';
import { parseKernelConfig, sysctlPath } from './parse-facts.ts';

const MODULES = '/usr/lib/modules/6.12.1';
const SHOWN = 'show --no-pager --property=Id,LoadState,ActiveState,UnitFileState --';

const machine: FakeMachine = {
  files: {
    '/proc/sys/kernel/osrelease': '6.12.1\n',
    '/proc/sys/kernel/kptr_restrict': '2\n',
    '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
    '/proc/sys/net/ipv4/tcp_fastopen_key': 'of-nobody\n',
    '/proc/sys/net/ipv6/conf/all/stable_secret': 'of-nobody\n',
    '/proc/cmdline': 'ro lockdown=integrity slab_nomerge lsm="a,b"\n',
    '/proc/modules': 'erofs 233472 1 - Live 0x0\n',
    '/proc/1/mountinfo': SOUND_MOUNTS,
    [`${MODULES}/config`]: '# one\nCONFIG_SECURITY_IPE=y\n# CONFIG_KEXEC is not set\nCONFIG_LSM="a,b"\n',
    [`${MODULES}/modules.dep`]:
      'kernel/fs/erofs/erofs.ko.xz: kernel/lib/x.ko.xz\nkernel/net/sctp/sctp-diag.ko.xz:\n',
    [`${MODULES}/modules.builtin`]: 'kernel/fs/ext4/ext4.ko\n',
    '/sys/devices/system/cpu/vulnerabilities/meltdown': 'Mitigation: PTI\n',
    '/etc/passwd':
      'root:x:0:0:root:/root:/usr/sbin/nologin\nbin:x:2:2::/:/usr/sbin/nologin\nann:x:1000:1000::/home/ann:/bin/bash\nbob:secret-of-nobody:1000:1::/:\n',
    '/etc/shadow': 'root:!*:1::::::\nbin:*:1::::::\nann:$y$hash:1::::::\nbob::1::::::\n',
    '/etc/group': 'root:x:0:\nwheel:x:0:\nshadow:x:42:eve\n',
  },
  statuses: { '/etc/shadow': { mode: 0o640, gid: 42 } },
  programs: {
    [`/usr/bin/systemctl ${SHOWN} a.service b.service c.service`]:
      'Id=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\nId=b.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n\nId=c.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n',
  },
};

const PRESENT: readonly (readonly [name: string, value: string])[] = [
  ['sysctl/kernel.kptr_restrict', '2'],
  ['sysctl/net.ipv4.ip_local_port_range', '32768 60999'],
  ['boot/lockdown', 'integrity'],
  ['boot/slab_nomerge', ''],
  ['boot/lsm', 'a,b'],
  ['kernel-config/SECURITY_IPE', 'y'],
  ['kernel-config/LSM', 'a,b'],
  ['module/erofs', 'loaded'],
  ['module/sctp-diag', 'available'],
  ['module/ext4', 'built-in'],
  ['cpu/meltdown', 'Mitigation: PTI'],
  ['file/etc/shadow', '0640 root:shadow file'],
  ['file/etc', '0700 root:root folder'],
  ['mount/', 'erofs ro'],
  ['mount/tmp', 'tmpfs rw nosuid nodev noexec'],
  ['unit/a.service', 'active enabled'],
  ['unit/b.service', 'inactive masked'],
  ['accounts/uid-0', 'root'],
  ['accounts/shell', 'ann bob'],
  ['accounts/password', 'ann bob'],
  ['accounts/gid-0', 'root'],
  ['accounts/unshadowed', 'bob'],
  ['accounts/no-group', 'bin ann bob'],
  ['accounts/groups-gid-0', 'root wheel'],
  ['accounts/groups-twice', 'root wheel'],
  ['accounts/shadow-members', 'eve'],
  ['accounts/twice', 'ann bob'],
];
const ABSENT = [
  ...['sysctl/kernel.none', 'boot/none', 'kernel-config/KEXEC', 'module/cramfs', 'cpu/none'],
  ...['accounts/open', 'file/usr/bin/bash', 'mount/home', 'unit/c.service'],
];
/** Nothing of these is told, and what they would lead to is not read. */
const REFUSED = [
  ...[
    'sysctl/net.ipv6.conf.all.stable_secret',
    'sysctl/net.ipv4.tcp_fastopen_key',
    'sysctl/kernel.random.uuid',
  ],
  ...['sysctl/../../etc/shadow', 'cpu/../x', 'file/etc/../root', 'file/', 'sysctl/', 'accounts/hash'],
  ...['', 'none/x', 'sysctl', '/etc/passwd'],
];

/** A node in no cluster. */
const ALONE: ClusterFacts = {
  role: async () => undefined,
  admission: async () => assert.fail('asked for the rule of no cluster'),
};

test('collectFacts tells what the kernel and the files say, in the order it was asked', async () => {
  const names = [...PRESENT.map(([name]) => name), ...ABSENT, ...REFUSED];
  const facts = await collectFacts(fakeSys(machine), names, ALONE);
  assert.deepEqual(
    facts.map(({ name }) => name),
    names,
  );
  const told = new Map(facts.map((fact) => [fact.name, fact]));
  for (const [name, value] of PRESENT) {
    assert.equal(told.get(name)?.state, FactState.PRESENT, name);
    assert.equal(told.get(name)?.value, value, name);
    assert.notEqual(told.get(name)?.source, '', name);
  }
  for (const name of ABSENT) assert.equal(told.get(name)?.state, FactState.ABSENT, name);
  for (const name of REFUSED) {
    assert.equal(told.get(name)?.state, FactState.UNKNOWN, name);
    assert.notEqual(told.get(name)?.reason, '', name);
  }
  assert.doesNotMatch(JSON.stringify(facts), /of-nobody|\$y\$/);
});

test('a node tells what certificates are given for only where it gives them', async () => {
  const names = ['cluster/role', 'cluster/admission'];
  const told = async (role: string | undefined) => {
    const cluster: ClusterFacts = { role: async () => role, admission: async () => 'required' };
    const facts = await collectFacts(fakeSys({}), names, cluster);
    return facts.map(({ state, value }) => [state, value]);
  };
  const [control, given] = [FactState.PRESENT, 'required'];
  assert.deepEqual(await told('control-plane'), [
    [control, 'control-plane'],
    [control, given],
  ]);
  assert.deepEqual(await told('worker'), [
    [FactState.PRESENT, 'worker'],
    [FactState.UNKNOWN, undefined],
  ]);
  assert.deepEqual(await told(undefined), [
    [FactState.ABSENT, undefined],
    [FactState.ABSENT, undefined],
  ]);
  const silent = { ...ALONE, role: () => Promise.reject(new Error('damaged')) };
  for (const fact of await collectFacts(fakeSys({}), names, silent))
    assert.equal(fact.state, FactState.UNKNOWN);
});

test('what a mount lies on is the word of the device mapper', async () => {
  const fact = async (machine: FakeMachine) =>
    (await collectFacts(fakeSys(machine), ['encryption/var'], ALONE))[0];
  const node = soundNode();
  assert.equal((await fact(node))?.value, 'luks2 aes-xts-plain64 512');
  const [mapped, ...others] = Object.keys(node.files ?? {}).filter((path) =>
    String(node.files?.[path]).startsWith('CRYPT-LUKS2-'),
  );
  assert.ok(mapped && others.length === 0);
  const plain = Object.fromEntries(Object.entries(node.files ?? {}).filter(([path]) => path !== mapped));
  assert.equal((await fact({ ...node, files: plain }))?.state, FactState.ABSENT);
  const linear = { ...node, files: { ...node.files, [mapped]: 'LVM-abc' } };
  assert.equal((await fact(linear))?.state, FactState.ABSENT);
  assert.equal((await fact({ ...node, programs: {} }))?.state, FactState.UNKNOWN);
});

test('what many facts come from and cannot be read leaves them unknown, never absent', async () => {
  const names = [
    'boot/ro',
    'kernel-config/KEXEC',
    'module/cramfs',
    'mount/tmp',
    'unit/a.service',
    'accounts/open',
  ];
  for (const fact of await collectFacts(fakeSys({}), names, ALONE))
    assert.equal(fact.state, FactState.UNKNOWN, fact.name);
  const broken = { broken: { '/proc/sys/kernel/kptr_restrict': 'EACCES' } };
  const [fact] = await collectFacts(fakeSys(broken), ['sysctl/kernel.kptr_restrict'], ALONE);
  assert.deepEqual([fact?.state, fact?.reason], [FactState.UNKNOWN, 'the kernel refuses it to plinthd']);
});

test('no name of a setting leads out of /proc/sys', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const path = sysctlPath(`kernel.${name}`);
      assert.ok(path === undefined || /^\/proc\/sys\/kernel(\/[A-Za-z0-9_-]+)+$/.test(path));
    }),
  );
});

test('the parsers take any text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      for (const { name } of [...parseAccounts(a, b), ...parseGroups(a)]) assert.notEqual(name, '');
      parseKernelConfig(a);
    }),
  );
});
