import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseContainerLine } from './parse-container.ts';
import { parseKernelLine } from './parse-kernel.ts';
import { isExecution, isWrite, type Refusal } from './refusal.ts';

// node-kernel.txt: messages of a booted node, as its API sent them.
const node = readFileSync(join(import.meta.dirname, '__fixtures__/node-kernel.txt'), 'utf8')
  .trimEnd()
  .split('\n');

function refusalOf(message: string): Refusal {
  const line = parseKernelLine(message, 5);
  assert.equal(line?.kind, 'refusal', message);
  return line.refusal;
}

describe('the kernel log of a real node', () => {
  const lines = node.flatMap((message) => parseKernelLine(message, 5) ?? []);

  test('every AVC record is understood, and nothing else is taken for one', () => {
    const records = node.filter((message) => / avc: {2}denied /.test(message)).length;
    assert.ok(records > 30);
    assert.equal(lines.filter(({ kind }) => kind === 'refusal').length, records);
    assert.equal(lines.filter(({ kind }) => kind === 'unreadable').length, 0);
  });

  test('what the kernel left out is counted', () => {
    const lost = lines.map((line) => (line.kind === 'lost' ? (line.count ?? 0) : 0));
    assert.equal(
      lost.reduce((sum, count) => sum + count, 0),
      1 + 17 + 43 + 7,
    );
  });

  test('a record says when, who, what and where, and that it was only logged', () => {
    const message = node.find((one) => one.includes(':12)'));
    assert.deepEqual(refusalOf(message ?? ''), {
      ...{ kind: 'selinux', timeMs: 1_795_354_527_399, enforced: false, pid: 309, comm: 'systemd-journal' },
      ...{ action: 'getattr', objectClass: 'dir', path: '/etc', name: '' },
      sourceContext: 'system_u:system_r:syslogd_t:s0',
    });
  });

  test('of a field that stands twice the first counts: the kernel writes what it knows first', () => {
    const found = refusalOf(
      'audit: type=1326 audit(1.000:8): pid=4680 comm="app" syscall=202 arch=c000003e code=0x50000 pid=1 code=0x7ffc0000',
    );
    assert.deepEqual([found.pid, found.enforced], [4680, true]);
  });

  test('a path of another kind than a file is none', () => {
    assert.equal(refusalOf(node.find((one) => one.includes('cgroup:[')) ?? '').path, '');
  });
});

describe('records that node did not have', () => {
  test('IPE, from the documentation of the kernel', () => {
    const found = refusalOf(
      'audit: type=1420 audit(1653364370.067:61): ipe_op=EXECUTE ipe_hook=MMAP enforcing=1 pid=2241 comm="ld-linux.so" path="/deny/lib/libc.so.6" dev="sda2" ino=14549020 rule="DEFAULT action=DENY"',
    );
    assert.deepEqual(
      [found.kind, found.enforced, found.path, found.pid],
      ['ipe', true, '/deny/lib/libc.so.6', 2241],
    );
    const other = refusalOf(
      'audit: type=1420 audit(1653364735.161:64): ipe_op=EXECUTE ipe_hook=MMAP enforcing=0 pid=2472 comm="mmap_test" path=? dev=? ino=? rule="DEFAULT action=DENY"',
    );
    assert.deepEqual([other.enforced, other.path, isExecution(other)], [false, '', true]);
  });

  for (const [code, enforced] of [
    ['0x80000000', true],
    ['0x0', true],
    ['0x50000', true],
    ['0xffff0000', true],
    ['0x7ffc0000', false],
  ] as const) {
    test(`seccomp with ${code} ${enforced ? 'refused' : 'only logged'} the call`, () => {
      const found = refusalOf(
        `audit: type=1326 audit(1503608734.272:8): auid=4294967295 uid=0 gid=0 ses=4294967295 subj=kernel pid=4680 comm="app" exe="/app" sig=31 arch=c000003e syscall=202 compat=0 ip=0x4512e9 code=${code}`,
      );
      assert.deepEqual(
        [found.kind, found.enforced, found.action],
        ['seccomp', enforced, 'syscall 202 (x86-64)'],
      );
    });
  }

  test('lockdown has no process; the time is that of the message', () => {
    const found = refusalOf(
      'Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7',
    );
    assert.deepEqual(
      [found.kind, found.comm, found.action, found.pid, found.timeMs],
      ['lockdown', 'modprobe', 'unsigned module loading', 0, 5],
    );
  });

  test('a record that breaks off is told, not passed over', () => {
    for (const message of [
      'audit: type=1400 audit(1795354523.323:5): avc:  denied  { search } for  pid=312 comm="a"',
      'audit: type=1400 audit(1795354523.323:5): apparmor="DENIED" operation="open" profile="a" name="/x"',
      'audit: type=1326 audit(1795354523.323:5): pid=1 syscall=',
      `audit: type=1420 audit(1795354523.323:5): ipe_op=EXECUTE${' '.repeat(9_000)}`,
    ])
      assert.equal(parseKernelLine(message, 5)?.kind, 'unreadable', message.slice(0, 80));
  });
});

test('any process name and path the kernel writes is read back, and none forges a field', () => {
  // As the kernel does: quoted, but in hexadecimal digits with a blank, a quote or anything not plain.
  const written = (text: string) =>
    /^[\x21\x23-\x7e]*$/.test(text) ? `"${text}"` : Buffer.from(text).toString('hex').toUpperCase();
  const hostile = fc.oneof(fc.string(), fc.constantFrom('a" permissive=1 pid=1', ' pid=1', '", tclass=dir'));
  fc.assert(
    fc.property(hostile, hostile, (comm, file) => {
      const message = `audit: type=1400 audit(1795354523.323:5): avc:  denied  { write } for  pid=312 comm=${written(comm)} path=${written(`/${file}`)} dev="vda8" ino=2 scontext=a:b:c:s0 tcontext=d:e:f:s0 tclass=file permissive=0`;
      const found = refusalOf(message);
      assert.deepEqual([found.pid, found.enforced, found.objectClass], [312, true, 'file']);
      assert.equal(found.comm, Buffer.from(comm).toString('utf8'));
      assert.equal(found.path, Buffer.from(`/${file}`).toString('utf8'));
    }),
  );
});

test('no text makes a parser fail', () => {
  const start = fc.constantFrom(
    '',
    'audit: type=1400 audit(1.000:1): avc:  denied  { a } for ',
    'Lockdown: ',
    'EROFS',
  );
  fc.assert(
    fc.property(start, fc.string({ unit: 'binary', maxLength: 300 }), (head, tail) => {
      parseKernelLine(head + tail, 5);
      const found = parseContainerLine(head + tail, 5);
      assert.ok(found === undefined || found.path === '' || found.path.startsWith('/'));
    }),
  );
});

describe('lines of containers', () => {
  // As these programs printed them on a tmpfs mounted read-only, or noexec.
  for (const [line, path] of [
    ["touch: cannot touch '/opt/cni/x': Read-only file system", '/opt/cni/x'],
    ['mkdir: cannot create directory ‘/opt/cni/d’: Read-only file system', '/opt/cni/d'],
    ['sh: 1: cannot create /opt/cni/y: Read-only file system', '/opt/cni/y'],
    ['tee: /opt/cni/t: Read-only file system', '/opt/cni/t'],
    ["OSError: [Errno 30] Read-only file system: '/opt/cni/z'", '/opt/cni/z'],
    ["Error: EROFS: read-only file system, open '/opt/cni/n'", '/opt/cni/n'],
    ['cannot: Read-only file system at -e line 1.', ''],
    // Go
    ['time="2026-11-22" level=error msg="open /etc/cni/../x: read-only file system"', '/etc/x'],
    ['{"error":"mkdir /opt/cni: read-only file system"}', '/opt/cni'],
  ] as const) {
    test(`a write that was refused: ${line}`, () => {
      const found = parseContainerLine(line, 5);
      assert.deepEqual([found?.kind, found?.path], ['read-only', path]);
      assert.ok(found && isWrite(found));
    });
  }

  for (const [line, path] of [
    ['sh: 1: /var/lib/prog: Permission denied', '/var/lib/prog'],
    ['env: ‘/var/lib/prog’: Permission denied', '/var/lib/prog'],
    ['Error: spawn /var/lib/prog EACCES', '/var/lib/prog'],
    ['panic: fork/exec /var/lib/prog: permission denied', '/var/lib/prog'],
  ] as const) {
    test(`a program that was not started: ${line}`, () => {
      const found = parseContainerLine(line, 5);
      assert.deepEqual([found?.kind, found?.path], ['execute', path]);
    });
  }

  for (const line of [
    'nsenter: failed to execute systemctl: No such file or directory',
    "chroot: failed to run command 'systemctl': No such file or directory",
    "chroot: can't execute '/bin/systemctl': No such file or directory",
  ]) {
    test(`a program of the host that is not there: ${line}`, () => {
      const found = parseContainerLine(line, 5);
      assert.deepEqual([found?.kind, found?.name], ['program-missing', 'systemctl']);
    });
  }

  for (const line of [
    'mounted read-only file system at /host',
    'warning: read-only file system detected, all is well',
    'bash: /etc/shadow: Permission denied',
    "PermissionError: [Errno 13] Permission denied: '/var/lib/prog'",
    'open /etc/app.conf: no such file or directory',
  ]) {
    test(`speaks of something else: ${line}`, () => assert.equal(parseContainerLine(line, 5), undefined));
  }
});
