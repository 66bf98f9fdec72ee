import { type CheckSpec, fail, passIf, unknown } from '../checks/check.ts';
import { readText } from '../sys/sys.ts';

const LOCKDOWN = '/sys/kernel/security/lockdown';
const LSM = '/sys/kernel/security/lsm';
const SELINUX = '/sys/fs/selinux/enforce';
const SIGNED_MODULES = '/sys/module/module/parameters/sig_enforce';
const TAINT = '/proc/sys/kernel/tainted';

const REQUIRED_LSMS = ['lockdown', 'landlock', 'yama', 'selinux', 'bpf', 'ipe'];

const lockdown: CheckSpec = {
  id: 'lockdown',
  expected: 'integrity or confidentiality',
  source: LOCKDOWN,
  fix: 'Boot with Secure Boot on, or with lockdown=integrity on the kernel command line.',
  async observe(sys) {
    const text = await readText(sys, LOCKDOWN);
    if (text === undefined) return fail('the kernel has no lockdown');
    const mode = /\[(\w+)\]/.exec(text)?.[1];
    if (mode === undefined) return unknown(`unexpected content "${text}"`);
    return passIf(mode !== 'none', mode);
  },
};

const securityModules: CheckSpec = {
  id: 'security-modules',
  expected: REQUIRED_LSMS.join(', '),
  source: LSM,
  fix: 'Boot the image with its own kernel command line; "lsm=" names the modules.',
  async observe(sys) {
    const text = await readText(sys, LSM);
    if (text === undefined) return unknown('securityfs is not mounted');
    const active = text.split(',');
    return passIf(
      REQUIRED_LSMS.every((name) => active.includes(name)),
      active.join(', '),
    );
  },
};

const selinux: CheckSpec = {
  id: 'selinux',
  expected: 'a policy is loaded and enforced',
  source: SELINUX,
  fix: 'Boot the image with its own kernel command line; "selinux=1 enforcing=1" turns SELinux on.',
  async observe(sys) {
    const text = await readText(sys, SELINUX);
    if (text === undefined) return fail('SELinux is off');
    return passIf(text === '1', text === '1' ? 'policy loaded, enforcing' : 'policy loaded, permissive');
  },
};

const signedModules: CheckSpec = {
  id: 'signed-modules',
  expected: 'only signed modules can be loaded',
  source: SIGNED_MODULES,
  fix: 'Boot the image with its own kernel command line; "module.sig_enforce=1" demands signatures.',
  async observe(sys) {
    const text = await readText(sys, SIGNED_MODULES);
    if (text === undefined) return unknown('the kernel does not tell');
    return passIf(text === 'Y', text === 'Y' ? 'signatures are enforced' : 'unsigned modules can be loaded');
  },
};

/** Bits of the taint mask that mean foreign or forced code in the kernel (Documentation/admin-guide/tainted-kernels). */
const FOREIGN_CODE: readonly (readonly [bit: number, meaning: string])[] = [
  [0, 'proprietary module'],
  [1, 'module loaded by force'],
  [3, 'module unloaded by force'],
  [12, 'module from outside the kernel tree'],
  [13, 'unsigned module'],
  [15, 'live patch'],
];

const taint: CheckSpec = {
  id: 'kernel-taint',
  expected: 'no foreign code was loaded into the kernel',
  source: TAINT,
  fix: 'Reboot, and find out what loaded the module named here.',
  async observe(sys) {
    const text = await readText(sys, TAINT);
    if (text === undefined || !/^\d+$/.test(text)) return unknown('the kernel does not tell');
    const mask = BigInt(text);
    const found = FOREIGN_CODE.filter(([bit]) => ((mask >> BigInt(bit)) & 1n) === 1n);
    const names = found.map(([, meaning]) => meaning).join(', ');
    return passIf(found.length === 0, names ? `${names} (mask ${text})` : `mask ${text}`);
  },
};

/** kernelChecks ask the kernel for its own defences. */
export const kernelChecks: readonly CheckSpec[] = [lockdown, securityModules, selinux, signedModules, taint];
