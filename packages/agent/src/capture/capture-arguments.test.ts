import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { type CapturePacketsRequest, CapturePacketsRequestSchema } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { captureArguments, captureBounds } from './capture-arguments.ts';

const ask = (request: Partial<Omit<CapturePacketsRequest, '$typeName'>> = {}) =>
  captureArguments(create(CapturePacketsRequestSchema, { reason: 'why', ...request }), 7546);

test('the unit has one capability, one family of sockets, a user of its own and an end', () => {
  const args = ask();
  for (const property of [
    'CapabilityBoundingSet=CAP_NET_RAW',
    'AmbientCapabilities=CAP_NET_RAW',
    'DynamicUser=yes',
    'RestrictAddressFamilies=AF_PACKET',
    'RuntimeMaxSec=330',
    'MemoryMax=64M',
  ])
    assert.ok(args.includes(`--property=${property}`), property);
  assert.deepEqual(args.slice(args.indexOf('--')), [
    ...['--', '/usr/bin/plinth-capture', '--interface=', '--filter=', '--without-port=7546'],
    ...['--seconds=30', '--bytes=10485760', '--packets=0', '--snap=262144'],
  ]);
});

test('what is asked for reaches the program', () => {
  const args = ask({
    ...{ interface: 'vxlan.calico', filter: 'host fe80::1 and not port 53', durationSeconds: 600 },
    ...{ maxSizeBytes: 4096n, maxPackets: 3, snapLengthBytes: 128 },
  });
  assert.deepEqual(args.slice(args.indexOf('--') + 2), [
    ...['--interface=vxlan.calico', '--filter=host fe80::1 and not port 53', '--without-port=7546'],
    ...['--seconds=600', '--bytes=4096', '--packets=3', '--snap=128'],
  ]);
});

test('what has no reason, or is beyond the limits of the node, is refused', () => {
  for (const wrong of [
    { reason: '' },
    { reason: '  ' },
    { reason: 'x'.repeat(201) },
    { durationSeconds: 601 },
    { maxSizeBytes: 4095n },
    { maxSizeBytes: BigInt(captureBounds.maxSizeBytes.max) + 1n },
    { maxSizeBytes: 2n ** 64n - 1n },
    { snapLengthBytes: 15 },
    { snapLengthBytes: 262_145 },
    { interface: '-v' },
    { interface: 'a b' },
    { interface: 'x'.repeat(16) },
    { filter: 'x'.repeat(201) },
    { filter: 'port $HOME' },
    { filter: 'port %n' },
    { filter: 'a\nb' },
  ])
    assert.throws(() => ask(wrong), { code: 'capture/request-invalid' }, JSON.stringify(Object.keys(wrong)));
});

test('no text becomes an option, a specifier or a second argument', () => {
  const shape = ask().map((argument) => argument.split('=')[0]);
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ maxLength: 30 }),
      (name, filter) => {
        let args: readonly string[];
        try {
          args = ask({ interface: name, filter });
        } catch (reason) {
          assert.ok(reason instanceof PlinthError && reason.code === 'capture/request-invalid');
          return;
        }
        assert.deepEqual(
          args.map((argument) => argument.split('=')[0]),
          shape,
        );
        assert.doesNotMatch(args.slice(args.indexOf('--')).join(''), /[%$\\"'\n\0]/);
      },
    ),
  );
});
