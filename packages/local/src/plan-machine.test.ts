import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MachineSpec } from './machine-spec.ts';
import { planMachine } from './plan-machine.ts';

const place = {
  folder: '/state/machines/node',
  apiPort: 17546,
  uuid: '00000000-0000-4000-8000-000000000001',
};
const tcg = { kind: 'tcg', reason: 'test' } as const;
const kvm = { kind: 'kvm', reason: 'test' } as const;

const secure: MachineSpec = {
  name: 'node',
  disk: { kind: 'raw', path: '/release/plinth.raw' },
  firmware: 'secure-boot',
  tpm: true,
  certificates: {
    ownerGuid: '0e5f0f0a-1111-4222-8333-444455556666',
    pk: '/k/pk.pem',
    kek: '/k/kek.pem',
    db: ['/k/db.pem'],
  },
  machineConfig: 'hostname: node\n',
};
const bare: MachineSpec = { name: 'bare', disk: secure.disk, firmware: 'uefi', tpm: false };

for (const [name, spec, accelerator] of [
  ['secure-boot', secure, tcg],
  ['uefi-kvm', bare, kvm],
  [
    'bios-with-extras',
    {
      ...bare,
      firmware: 'bios',
      directKernel: { kernel: '/k/linux', initrd: '/k/initrd', commandLine: 'ro console=ttyS0,115200' },
      onReboot: 'end',
      durability: 'throw-away',
      memoryMiB: 1024,
      cpus: 1,
      diskSizeBytes: 1024 ** 3,
      smbiosStrings: ['io.systemd.credential:a=b,c'],
      firmwareConfig: { 'opt/test': 'x' },
      extraDrives: [{ path: '/release/seed.iso', format: 'raw', readOnly: true }],
    },
    tcg,
  ],
  [
    'cluster-member',
    {
      ...bare,
      kubernetesPort: 0,
      clusterCard: { group: '239.1.2.3', port: 20_000, mac: '52:54:00:0a:05:0b' },
      extraDrives: [
        { path: '/layers/a.raw', format: 'raw', readOnly: true, serial: 'kubernetes-1.37.1' },
        { path: '/layers/b.raw', format: 'raw', readOnly: true, serial: 'kubernetes-1.36.4' },
      ],
    },
    kvm,
  ],
] as const) {
  test(`planMachine plans ${name} as recorded`, (t) => {
    const ports = 'kubernetesPort' in spec ? { kubernetesPort: 16443 } : {};
    const plan = planMachine(spec, { ...place, ...ports }, accelerator);
    t.assert.fileSnapshot(plan, join(import.meta.dirname, '__golden__', `plan-${name}.json`));
  });
}

test('planMachine lets no text of the spec become an option of its own', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { qemu } = planMachine({ ...bare, smbiosStrings: [text] }, place, tcg);
      const given = qemu.args[qemu.args.indexOf('-smbios') + 1] ?? '';
      assert.equal(given.replaceAll(',,', ''), `type=11,value=${text.replaceAll(',', '')}`);
    }),
  );
});

test('planMachine attaches a drive as it is told', () => {
  const drives = (['nvme', 'sata', undefined, 'sata'] as const).map((attachedBy) => ({
    ...({ path: '/a', format: 'raw', readOnly: false } as const),
    ...(attachedBy && { attachedBy }),
  }));
  const { qemu } = planMachine({ ...bare, extraDrives: drives }, place, tcg);
  assert.deepEqual(
    qemu.args.filter((word) => word.includes('drive=extra')),
    [
      'nvme,drive=extra0,serial=extra0',
      'ide-hd,drive=extra1,bus=ide.0',
      'virtio-blk-pci,drive=extra2',
      'ide-hd,drive=extra3,bus=ide.1',
    ],
  );
});

test('planMachine shows the tools every file of the spec, and only extra drives writable', () => {
  const spec: MachineSpec = {
    ...secure,
    extraDrives: [
      { path: '/a', format: 'raw', readOnly: false },
      { path: '/b', format: 'raw', readOnly: true },
    ],
  };
  const { binds } = planMachine(spec, place, tcg);
  const writable = binds.filter((bind) => !bind.readOnly).map((bind) => bind.host);
  assert.deepEqual(writable, [place.folder, '/a']);
  assert.deepEqual(
    binds.map((bind) => bind.host),
    [place.folder, '/release/plinth.raw', '/k/pk.pem', '/k/kek.pem', '/k/db.pem', '/a', '/b'],
  );
});
