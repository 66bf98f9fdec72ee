import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@plinth/host';
import { scratchFolder } from '@plinth/host/testing';
import fc from 'fast-check';
import { isPlainPath, isReadable, READABLE } from './allow-list.ts';
import { listFiles, readFilePieces } from './read-files.ts';

async function read(path: string, places?: readonly string[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let ended = false;
  for await (const { bytes, last } of readFilePieces(path, places ? { places } : {})) {
    assert.equal(ended, false);
    assert.ok(bytes.length <= 256 * 1024);
    pieces.push(bytes);
    ended = last;
  }
  assert.equal(ended, true);
  return Buffer.concat(pieces);
}

const refused = { code: 'files/not-allowed' };

test('a file comes whole, in pieces, whatever its size', async () => {
  const folder = await scratchFolder('files');
  for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, 3 * 256 * 1024 - 1]) {
    const content = Buffer.alloc(size, `${size} `);
    await writeFile(join(folder, 'log'), content);
    assert.ok((await read(join(folder, 'log'), [folder])).equals(content), String(size));
  }
});

test('files of the kernel, which say that they are empty, come as they are', async () => {
  assert.deepEqual(await read('/proc/version'), await readFile('/proc/version'));
  assert.match((await read('/proc/meminfo')).toString(), /^MemTotal:/);
});

test('a link is followed within the list and never out of it', async () => {
  const folder = await scratchFolder('files');
  const [inside, outside] = [join(folder, 'in'), join(folder, 'out')];
  for (const each of [inside, outside]) {
    await mkdir(each);
    await writeFile(join(each, 'a'), each);
  }
  await symlink('a', join(inside, 'good'));
  await symlink(join(outside, 'a'), join(inside, 'bad'));
  await symlink(outside, join(inside, 'folder'));
  const places = [inside];
  assert.equal((await read(join(inside, 'good'), places)).toString(), inside);
  for (const name of ['bad', 'folder/a', '../out/a', './a', 'folder'])
    await assert.rejects(read(`${inside}/${name}`, places), refused, name);
  await assert.rejects(listFiles(join(inside, 'folder'), { places }), refused);
  assert.deepEqual(
    (await listFiles(inside, { places })).entries.map(({ name, kind, target }) => [name, kind, target]),
    [
      ['a', 'file', ''],
      ['bad', 'link', join(outside, 'a')],
      ['folder', 'link', outside],
      ['good', 'link', 'a'],
    ],
  );
});

test('the links of /etc into the image are on the list', async () => {
  assert.match((await read('/etc/os-release')).toString(), /^ID=/m);
});

test('pipes, devices and folders are not opened as files', async () => {
  const folder = await scratchFolder('files');
  await run('mkfifo', [join(folder, 'pipe')], { env: { PATH: '/usr/bin:/bin' } });
  await assert.rejects(read(join(folder, 'pipe'), [folder]), refused);
  await assert.rejects(read('/dev/zero', ['/dev']), refused);
  await assert.rejects(read(folder, [folder]), refused);
  await assert.rejects(read(join(folder, 'none'), [folder]), { code: 'files/missing' });
  await assert.rejects(listFiles(join(folder, 'pipe'), { places: [folder] }), { code: 'files/unreadable' });
});

test('secrets are not readable, wherever they lie in the list', () => {
  const secret = [
    '/etc/shadow',
    '/etc/shadow-',
    '/etc/gshadow',
    '/etc/kubernetes/admin.conf',
    '/etc/kubernetes/pki/ca.key',
    '/etc/kubernetes/pki/ca.crt',
    '/etc/kubernetes/kubelet.conf',
    '/etc/ssl/private/x.pem',
    '/etc/containerd/certs.d/example.com/hosts.toml',
    '/etc/systemd/network/10-wg.netdev',
    '/etc/some/tls.key',
    '/etc/some/bootstrap-kubeconfig',
    '/etc/x/password',
    '/etc/x/api-token',
    '/run/systemd/credentials/a.service/b',
    '/proc/sys/net/ipv6/conf/all/stable_secret',
    '/proc/1/environ',
    '/proc/kcore',
    '/proc/kallsyms',
    '/sys/kernel/debug/x',
    '/sys/firmware/dmi/tables/DMI',
    '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw',
    '/sys/devices/pci0000:00/0000:00:02.0/resource1',
    '/sys/devices/pci0000:00/0000:00:02.0/rom',
    '/var/lib/plinth/config.yaml',
    '/var/logs/x',
    '/etcetera',
    '/root/.ssh/id_ed25519',
  ];
  for (const path of secret) assert.equal(isReadable(path), false, path);
  const open = [
    '/etc/hosts',
    '/etc/passwd',
    '/etc/containerd/config.toml',
    '/etc/kubernetes/manifests/etcd.yaml',
    '/etc/systemd/network/10-eth0.network',
    '/etc/ssl/certs/ca-certificates.crt',
    '/proc/sys/kernel/random/boot_id',
    '/proc/sys/kernel/keys/maxkeys',
    '/run/systemd/resolve/resolv.conf',
    '/run/systemd/netif/state',
    '/sys/class/net/lo/mtu',
    '/sys/devices/virtual/net/lo/carrier',
    '/sys/devices/pci0000:00/0000:00:02.0/resource',
    '/sys/devices/virtual/dmi/id/product_name',
    '/var/log/pods/a_b_c/d/0.log',
    '/var/log/journal/0123/system.journal',
  ];
  for (const path of open) assert.equal(isReadable(path), true, path);
  for (const place of READABLE) assert.equal(isReadable(place) && isPlainPath(place), true, place);
});

test('a path that is not plain is never readable', () => {
  for (const path of [
    '',
    '/',
    'etc/hosts',
    '/etc//hosts',
    '/etc/./hosts',
    '/etc/../etc/hosts',
    '/etc/',
    '/etc/\0',
  ])
    assert.equal(isPlainPath(path), false, path);
  const part = fc.constantFrom('..', '.', '', 'etc', 'shadow', 'var', 'log', '...', 'a b');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const path = `/${parts.join('/')}`;
      const expected =
        parts.length > 0 && parts.every((each) => each !== '' && each !== '.' && each !== '..');
      assert.equal(isPlainPath(path), expected, path);
    }),
  );
});

test('without a path the places are listed', async () => {
  const { entries, cut } = await listFiles('');
  assert.equal(cut, false);
  const names = entries.map(({ name }) => name);
  assert.ok(names.includes('/etc') && names.includes('/proc/meminfo'));
  assert.equal(
    (await listFiles('/etc')).entries.some(({ name }) => name === 'shadow'),
    false,
  );
});
