import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import { exists, identifyProcess, waitForEnd } from '@plinth/host';
import { eventually, scratchFolder } from '@plinth/host/testing';
import { openToolbox, type Toolbox } from './open-toolbox.ts';

const withCode = (code: string) => (error: unknown) => error instanceof PlinthError && error.code === code;
const scratch = () => scratchFolder('run');

let toolbox: Toolbox;
before(async () => {
  toolbox = await openToolbox();
});

/** Runs a shell line inside and returns what it printed. */
async function shell(line: string, options: Parameters<Toolbox['run']>[2] = {}): Promise<string> {
  return (await toolbox.run('sh', ['-c', line], options)).stdout.toString().trim();
}

const TOOLS: readonly (readonly [program: string, ...args: string[]])[] = [
  ['bootctl', '--version'],
  ['certtool', '--version'],
  ['cpio', '--version'],
  ['depmod', '--version'],
  ['file', '--version'],
  ['fsck.erofs', '--version'],
  ['getcap', '/usr/bin/true'],
  ['mcopy', '--version'],
  ['mkfs.erofs', '--version'],
  ['mkfs.ext4', '-V'],
  ['mkfs.fat', '--help'],
  ['objdump', '--version'],
  ['openssl', 'version'],
  ['qemu-img', '--version'],
  ['qemu-system-x86_64', '--version'],
  ['readelf', '--version'],
  ['sbverify', '--version'],
  ['sgdisk', '--version'],
  ['strip', '--version'],
  ['swtpm', '--version'],
  ['swtpm_localca', '--help'],
  ['systemd-analyze', '--version'],
  ['systemd-repart', '--version'],
  ['systemd-sysusers', '--version'],
  ['tar', '--version'],
  ['ukify', '--version'],
  ['veritysetup', '--version'],
  ['virt-fw-vars', '--help'],
  ['xz', '--version'],
  ['zstd', '--version'],
  ['/usr/lib/systemd/systemd-measure', '--version'],
];

for (const [program, ...args] of TOOLS) {
  test(`the toolbox starts ${program}`, async () => {
    await toolbox.run(program, args);
  });
}

test('the toolbox has the firmware, boot loader, stub and policy that builds read from it', async () => {
  const files = [
    'usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
    'usr/share/OVMF/OVMF_VARS_4M.fd',
    'usr/lib/systemd/boot/efi/systemd-bootx64.efi',
    'usr/lib/systemd/boot/efi/linuxx64.efi.stub',
    'usr/share/selinux/default/base.pp.bz2',
  ];
  for (const file of files) assert.ok((await stat(join(toolbox.root, file))).size > 0, file);
});

test('run returns exit codes and output, and takes input', async () => {
  await toolbox.run('true', []);
  await assert.rejects(toolbox.run('false', []), withCode('host/command-failed'));
  assert.equal((await toolbox.run('sh', ['-c', 'exit 7'], { okCodes: [7] })).exitCode, 7);
  assert.equal((await toolbox.run('cat', [], { input: 'hello' })).stdout.toString(), 'hello');
});

test('run names a tool that is missing, and passes on a 127 that means something else', async () => {
  await assert.rejects(toolbox.run('no-such-tool', []), withCode('toolbox/tool-missing'));
  await assert.rejects(toolbox.run('sh', ['-c', 'exit 127']), withCode('host/command-failed'));
});

test('run passes arguments untouched', async () => {
  const odd = ['a b', '$HOME', "'", '"', '', '--', '*', 'line\nbreak'];
  const { stdout } = await toolbox.run('printf', ['%s\\0', ...odd]);
  assert.deepEqual(stdout.toString().split('\0').slice(0, -1), odd);
});

test('run shows bound folders only, and lets nothing else be changed', async () => {
  const [source, target] = [await scratch(), await scratch()];
  await writeFile(join(source, 'in'), 'content');
  const binds = [
    { host: source, inside: '/in', readOnly: true },
    { host: target, inside: target },
  ];
  await shell(`cp /in/in ${target}/out`, { binds, cwd: target });
  assert.equal(await readFile(join(target, 'out'), 'utf8'), 'content');
  for (const path of ['/in/x', '/usr/bin/x', '/etc/x', '/var/x', '/x']) {
    await assert.rejects(shell(`touch ${path}`, { binds }), /Read-only file system/);
  }
  assert.equal(await shell(`test -e ${source} || echo hidden`, { binds }), 'hidden');
  assert.equal(await shell('touch /tmp/x /root/x /run/x /var/tmp/x && echo fine'), 'fine');
});

test('run gives the same environment and umask whatever the caller has', async (context) => {
  const umask = process.umask(0o077);
  process.env['PLINTH_TEST_SECRET'] = 'leak';
  context.after(() => {
    process.umask(umask);
    delete process.env['PLINTH_TEST_SECRET'];
  });
  const dir = await scratch();
  const printed = await shell('umask; env -u PWD | sort; hostname 2>/dev/null || uname -n; touch /d/file', {
    binds: [{ host: dir, inside: '/d' }],
    env: { SOURCE_DATE_EPOCH: '1' },
  });
  const expected =
    '0022|HOME=/root|LC_ALL=C.UTF-8|PATH=/usr/sbin:/usr/bin|SOURCE_DATE_EPOCH=1|TZ=UTC|toolbox';
  assert.deepEqual(printed.split('\n'), expected.split('|'));
  assert.equal((await stat(join(dir, 'file'))).mode & 0o777, 0o644);
});

test('run reaches the network only when allowed', async (context) => {
  const server = createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const connect = `import socket; print(socket.create_connection(("127.0.0.1", ${address.port})).recv(9).decode())`;
  await assert.rejects(toolbox.run('python3', ['-c', connect]), /refused|unreachable/);
  const { stdout } = await toolbox.run('python3', ['-c', connect], { network: true });
  assert.equal(stdout.toString().trim(), 'reached');
});

test('run ends everything the tool started when it is interrupted or its time is over', async () => {
  const dir = await scratch();
  const alive = join(dir, 'alive');
  // The grandchild writes for as long as it lives; its file must stop growing.
  const line = '(while :; do echo x >> /d/alive; sleep 0.02; done) & sleep 60';
  const abort = new AbortController();
  const running = shell(line, { binds: [{ host: dir, inside: '/d' }], signal: abort.signal });
  await eventually(() => exists(alive));
  abort.abort();
  await assert.rejects(running, withCode('cli/interrupted'));
  const { size: atEnd } = await stat(alive);
  await sleep(300);
  assert.equal((await stat(alive)).size, atEnd);
  await assert.rejects(shell('sleep 60', { timeoutMs: 100 }), withCode('host/command-timeout'));
});

test('command starts a tool under its real process id that ends with the process started', async (context) => {
  const dir = await scratch();
  const { program, args, env } = toolbox.command('sh', ['-c', 'echo $$ > /d/pid; echo; sleep 60; :'], {
    binds: [{ host: dir, inside: '/d' }],
  });
  const child = spawn(program, [...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  context.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const tool = await identifyProcess(Number(await readFile(join(dir, 'pid'), 'utf8')));
  assert.ok(tool);
  assert.match(await readFile(`/proc/${tool.pid}/cmdline`, 'utf8'), /sleep/);
  child.kill('SIGKILL');
  assert.ok(await waitForEnd(tool, 10_000));
});
