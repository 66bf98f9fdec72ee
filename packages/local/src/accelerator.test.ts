import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { chooseAccelerator, parseCpuFlags } from './accelerator.ts';

const flags = (...names: string[]) => new Set(names);

for (const [title, facts, kind] of [
  [
    'a usable device and an Intel processor',
    { wanted: undefined, kvmUsable: true, cpuFlags: flags('vmx') },
    'kvm',
  ],
  [
    'a usable device and an AMD processor',
    { wanted: undefined, kvmUsable: true, cpuFlags: flags('svm') },
    'kvm',
  ],
  [
    'a device without the extension behind it',
    { wanted: undefined, kvmUsable: true, cpuFlags: flags('sse2') },
    'tcg',
  ],
  ['no usable device', { wanted: undefined, kvmUsable: false, cpuFlags: flags('vmx') }, 'tcg'],
  ['PLINTH_ACCEL=tcg against the facts', { wanted: 'tcg', kvmUsable: true, cpuFlags: flags('vmx') }, 'tcg'],
  ['PLINTH_ACCEL=kvm against the facts', { wanted: 'kvm', kvmUsable: false, cpuFlags: flags() }, 'kvm'],
  ['an empty PLINTH_ACCEL', { wanted: '', kvmUsable: true, cpuFlags: flags('vmx') }, 'kvm'],
] as const) {
  test(`chooseAccelerator takes ${kind} for ${title}`, () => {
    assert.equal(chooseAccelerator(facts).kind, kind);
  });
}

test('chooseAccelerator refuses another word', () => {
  assert.throws(
    () => chooseAccelerator({ wanted: 'xen', kvmUsable: true, cpuFlags: flags('vmx') }),
    (error) =>
      error instanceof PlinthError && error.code === 'vm/bad-spec' && error.message.includes('"xen"'),
  );
});

test('parseCpuFlags reads the flags of the first processor', () => {
  const text =
    'processor\t: 0\nvmx flags\t: invvpid\nflags\t\t: fpu svm\n\nprocessor\t: 1\nflags\t\t: fpu vmx\n';
  assert.deepEqual([...parseCpuFlags(text)], ['fpu', 'svm']);
});
