import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Finding } from '../report/finding.ts';
import { foresaw, leavesTrace } from './foreseen.ts';
import { makeRefusal, type Refusal } from './refusal.ts';

const finding = (rule: string, subject: string): Finding => ({
  ...{ rule, subject, severity: 'block', message: '', container: 'main', path: '$', fix: '', fact: '' },
  ...{ owner: { kind: 'DaemonSet', namespace: '', name: 'a' }, pods: null, nodes: [] },
  object: { apiVersion: '', kind: 'DaemonSet', namespace: '', name: 'a' },
});
const selinux = (objectClass: string, action: string, more: Partial<Refusal> = {}) => ({
  ...({ kind: 'selinux', objectClass, action } as const),
  ...more,
});
const program = (name: string) => ({ kind: 'program-missing', name }) as const;
const exec = { kind: 'execute', action: 'execute' } as const;
const write = { kind: 'read-only', action: 'write' } as const;

describe('which refusal is what a finding warned of', () => {
  for (const [what, rule, subject, said, hostPath, expected] of [
    ['a write below the path', 'PLM001', '/usr/x', write, '/usr/x/y', true],
    ['a write by SELinux', 'PLM001', '/usr/x', selinux('file', 'read write open'), '/usr/x', true],
    ['a read below the path', 'PLM001', '/usr/x', selinux('file', 'read'), '/usr/x/y', false],
    ['a write beside it', 'PLM001', '/usr/x', write, '/usr/xy', false],
    ['a write to no path of the host', 'PLM001', '/usr/x', write, undefined, false],
    ['a write behind a link', 'PLM001', '/bin', write, '/usr/bin/x', true],
    ['a write anywhere, of the whole root', 'PLM006', '/', write, '/etc/x', true],
    ['an execution from it', 'PLM004', '/var/x', exec, '/var/x/y', true],
    ['a write there, for a rule of execution', 'PLM004', '/var/x', write, '/var/x/y', false],
    ['a read that SELinux refused', 'PLM009', '/var/log', selinux('file', 'read'), '/var/log/x', true],
    [
      'a folder, of which the kernel tells the last part',
      'PLM009',
      '/var/lib',
      selinux('dir', 'write', { name: 'lib' }),
      undefined,
      true,
    ],
    [
      'a folder of another name',
      'PLM009',
      '/var/lib',
      selinux('dir', 'write', { name: 'log' }),
      undefined,
      false,
    ],
    [
      'a file of that name',
      'PLM009',
      '/var/lib',
      selinux('file', 'write', { name: 'lib' }),
      undefined,
      false,
    ],
    ['a write by a read-only mount', 'PLM009', '/etc', write, '/etc/x', false],
    ['a refusal beside it', 'PLM009', '/var/log', selinux('file', 'read'), '/var/lib/x', false],
    [
      'its capability',
      'PLM014',
      'SYS_MODULE',
      selinux('capability', 'sys_admin sys_module'),
      undefined,
      true,
    ],
    ['another capability', 'PLM014', 'SYS_MODULE', selinux('capability', 'sys_admin'), undefined, false],
    ['its program', 'PLM020', 'systemctl', program('systemctl'), undefined, true],
    ['another program', 'PLM020', 'systemctl', program('apt'), undefined, false],
    ['its program, refused', 'PLM020', 'ip', { ...exec, path: '/sbin/ip' }, undefined, true],
    [
      'its module',
      'PLM030',
      'br-netfilter',
      selinux('system', 'module_request', { name: 'br_netfilter' }),
      undefined,
      true,
    ],
    [
      'its module by file',
      'PLM030',
      'wireguard',
      selinux('system', 'module_load', { path: '/m/wireguard.ko.xz' }),
      undefined,
      true,
    ],
    ['another module', 'PLM030', 'wireguard', selinux('system', 'module_load'), undefined, false],
    [
      'its setting',
      'PLM032',
      'kernel.kptr_restrict',
      { ...write, path: '/proc/sys/kernel/kptr_restrict' },
      undefined,
      true,
    ],
    [
      'another setting',
      'PLM032',
      'kernel.kptr_restrict',
      { ...write, path: '/proc/sys/kernel/x' },
      undefined,
      false,
    ],
    ['anything, for a rule no log tells of', 'PLM071', '/usr/x', write, '/usr/x', false],
  ] as const) {
    test(`${rule}: ${what}: ${expected ? 'yes' : 'no'}`, () => {
      const place = { namespace: '', pod: 'a-x7k2p', container: 'main' };
      const refusal = { ...makeRefusal({ timeMs: 0, enforced: true, ...said }), unit: '', place };
      assert.equal(foresaw(finding(rule, subject), { refusal, hostPath }), expected);
    });
  }
});

test('what a policy may refuse in silence is never told as not seen', () => {
  assert.deepEqual(['PLM001', 'PLM009', 'PLM071'].map(leavesTrace), [true, false, false]);
});
