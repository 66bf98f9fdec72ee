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
const card = { group: '239.1.2.3', port: 20_000, mac: '52:54:00:0a:05:0b' };
const drive = { path: '/d.raw', format: 'raw', readOnly: true, serial: 'kubernetes-1.37.1' } as const;
const directKernel = { kernel: '/linux', initrd: '/initrd', commandLine: 'ro' };

for (const spec of [
  uefi,
  { ...uefi, firmware: 'secure-boot', certificates },
  { ...uefi, clusterCard: card, kubernetesPort: 0, extraDrives: [drive] },
  { ...uefi, firmware: 'bios', directKernel },
] as const) {
  test(`checkMachineSpec accepts a machine with ${Object.keys(spec).join(', ')}`, () => {
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
  ['a Kubernetes port that is none', { ...uefi, kubernetesPort: -1 }],
  ['a group that is not for local use', { ...uefi, clusterCard: { ...card, group: '224.0.0.1' } }],
  ['an option smuggled into the group', { ...uefi, clusterCard: { ...card, group: '239.0.0.1,x=y' } }],
  ['a multicast port of the system', { ...uefi, clusterCard: { ...card, port: 1 } }],
  ['a MAC address of many', { ...uefi, clusterCard: { ...card, mac: '53:54:00:00:00:01' } }],
  ['a serial number that QEMU would cut', { ...uefi, extraDrives: [{ ...drive, serial: 'a'.repeat(21) }] }],
  ['an option smuggled into a serial number', { ...uefi, extraDrives: [{ ...drive, serial: 'a,b=c' }] }],
  ['two drives of one serial number', { ...uefi, extraDrives: [drive, { ...drive, path: '/e' }] }],
  ['the serial number of the main disk', { ...uefi, extraDrives: [{ ...drive, serial: 'plinth' }] }],
] as const) {
  test(`checkMachineSpec refuses ${title}`, () => {
    assert.throws(
      () => checkMachineSpec(spec),
      (error) => error instanceof PlinthError && error.code === 'vm/bad-spec',
    );
  });
}
