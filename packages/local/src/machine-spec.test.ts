import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { checkMachineSpec, type MachineSpec } from './machine-spec.ts';

const uefi: MachineSpec = {
  name: 'node',
  disk: { kind: 'raw', path: '/d.raw' },
  firmware: 'uefi',
  tpm: false,
};
const certificates = {
  ownerGuid: '0e5f0f0a-1111-4222-8333-444455556666',
  pk: '/pk',
  kek: '/kek',
  db: ['/db'],
};
const directKernel = { kernel: '/linux', initrd: '/initrd', commandLine: 'ro' };

for (const spec of [
  uefi,
  { ...uefi, firmware: 'secure-boot', certificates },
  { ...uefi, firmware: 'bios', directKernel },
] as const) {
  test(`checkMachineSpec accepts a machine with the firmware ${spec.firmware}`, () => {
    checkMachineSpec(spec);
  });
}

for (const [title, spec] of [
  ['a name that leaves the folder', { ...uefi, name: '../x' }],
  ['a name too long for a host name', { ...uefi, name: 'a'.repeat(32) }],
  ['no memory', { ...uefi, memoryMiB: 0 }],
  ['half a processor', { ...uefi, cpus: 0.5 }],
  ['a port that is none', { ...uefi, apiPort: 65_536 }],
  ['Secure Boot without certificates', { ...uefi, firmware: 'secure-boot' }],
  ['certificates without Secure Boot', { ...uefi, certificates }],
  ['BIOS without a kernel', { ...uefi, firmware: 'bios' }],
  ['a kernel beside UEFI', { ...uefi, directKernel }],
  [
    'an owner that is no GUID',
    { ...uefi, firmware: 'secure-boot', certificates: { ...certificates, ownerGuid: 'me' } },
  ],
  ['a relative path', { ...uefi, disk: { kind: 'raw', path: 'd.raw' } }],
  ['a firmware file outside opt/', { ...uefi, firmwareConfig: { 'etc/x': '' } }],
  ['an option smuggled into a firmware file name', { ...uefi, firmwareConfig: { 'opt/x,file=y': '' } }],
] as const) {
  test(`checkMachineSpec refuses ${title}`, () => {
    assert.throws(
      () => checkMachineSpec(spec),
      (error) => error instanceof PlinthError && error.code === 'vm/bad-spec',
    );
  });
}
