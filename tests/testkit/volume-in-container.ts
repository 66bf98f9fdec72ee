// Run inside a mount name space of its own (unshare --mount): a root from the tree of an image, a folder that is noexec, and
// the image's crun with a container that mounts a folder of it as CRI mounts volumes. Prints how the host starts a program
// from there, and how the container sees the mount.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [tree = '', root = ''] = process.argv.slice(2);
const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' });

mount('-t', 'tmpfs', 'upper', root);
for (const name of ['upper', 'work', 'root']) mkdirSync(join(root, name));
const host = join(root, 'root');
const layers = `lowerdir=${tree},upperdir=${join(root, 'upper')},workdir=${join(root, 'work')}`;
mount('-t', 'overlay', '-o', layers, 'root', host);
mount('-t', 'proc', 'proc', join(host, 'proc'));
mount('-t', 'sysfs', 'sysfs', join(host, 'sys'));
mount('-t', 'cgroup2', 'cgroup2', join(host, 'sys/fs/cgroup'));
mount('-t', 'tmpfs', 'run', join(host, 'run'));
mount('--rbind', '/dev', join(host, 'dev'));
mkdirSync(join(host, 'run/bundle/rootfs'), { recursive: true });
mkdirSync(join(host, 'run/var'));
mount('-t', 'tmpfs', '-o', 'noexec,nosuid,nodev', 'var', join(host, 'run/var'));
mkdirSync(join(host, 'run/var/volume'));
copyFileSync(join(host, 'usr/bin/flock'), join(host, 'run/var/volume/program'));
mount('--bind', tree, join(host, 'run/bundle/rootfs'));

const volume = {
  destination: '/mnt',
  type: 'bind',
  source: '/run/var/volume',
  options: ['rbind', 'rprivate', 'rw'],
};
const run = (...args: string[]) => {
  const config = {
    ociVersion: '1.0.2',
    root: { path: 'rootfs', readonly: true },
    process: { terminal: false, user: { uid: 0, gid: 0 }, args, cwd: '/', env: ['PATH=/usr/bin'] },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, volume],
    linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] },
  };
  writeFileSync(join(host, 'run/bundle/config.json'), JSON.stringify(config));
  const crun = ['/usr/bin/crun', '--cgroup-manager=disabled', '--root', '/run/crun'];
  return spawnSync('chroot', [host, ...crun, 'run', '--bundle', '/run/bundle', 'probe'], {
    encoding: 'utf8',
  });
};
const onHost = spawnSync('chroot', [host, '/run/var/volume/program', '--version'], { encoding: 'utf8' });
const inContainer = run('/mnt/program', '--version');
const seen = run('/usr/bin/findmnt', '--noheadings', '--output', 'OPTIONS', '/mnt');
console.log(
  JSON.stringify({
    host: onHost.status,
    container: inContainer.status,
    error: inContainer.stderr,
    options: seen.stdout.trim(),
  }),
);
