import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { completeClusterSpec, dnsAddressOf, type GivenClusterSpec, parseIpv4 } from './cluster-spec.ts';
import { chooseAddress } from './preconditions.ts';

const given: GivenClusterSpec = {
  name: 'demo',
  podNetwork: '',
  serviceNetwork: '',
  dnsDomain: '',
  controlPlanesTakeWorkloads: false,
  apiServerNames: [],
};

test('empty values stand for defaults', () => {
  assert.deepEqual(completeClusterSpec(given), {
    name: 'demo',
    podNetwork: '10.244.0.0/16',
    serviceNetwork: '10.96.0.0/16',
    dnsDomain: 'cluster.local',
    controlPlanesTakeWorkloads: false,
    apiServerNames: [],
  });
});

const wrong: readonly (readonly [string, Partial<GivenClusterSpec>, RegExp])[] = [
  ['no name', { name: '' }, /cluster's name/],
  ['a name with a break', { name: 'a\nb' }, /cluster's name/],
  ['a host in place of a network', { podNetwork: '10.244.0.1/16' }, /podNetwork/],
  ['a network too small', { podNetwork: '10.244.0.0/24' }, /podNetwork/],
  ['IPv6', { serviceNetwork: 'fd00::/108' }, /serviceNetwork/],
  ['networks that overlap', { podNetwork: '10.96.0.0/12' }, /overlaps the pod network/],
  ['a domain in capitals', { dnsDomain: 'Cluster.Local' }, /dnsDomain/],
  ['a name that is none', { apiServerNames: ['a b'] }, /apiServerNames\.0/],
  ['too many names', { apiServerNames: Array.from({ length: 33 }, () => 'a') }, /apiServerNames/],
];

for (const [what, changes, text] of wrong) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => completeClusterSpec({ ...given, ...changes }),
      (reason) =>
        reason instanceof PlinthError &&
        reason.code === 'kubernetes/spec-invalid' &&
        text.test(reason.message),
    );
  });
}

test('any text is accepted or refused with a code', () => {
  const text = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.tuple(fc.ipV4(), fc.nat(40)).map(([ip, bits]) => `${ip}/${bits}`),
  );
  fc.assert(
    fc.property(text, text, text, fc.array(text), (name, podNetwork, serviceNetwork, apiServerNames) => {
      try {
        completeClusterSpec({ ...given, name, podNetwork, serviceNetwork, apiServerNames });
      } catch (reason) {
        assert.ok(reason instanceof PlinthError && reason.code === 'kubernetes/spec-invalid');
      }
    }),
  );
});

test('the DNS service has the tenth address, across the bytes of an address', () => {
  assert.equal(dnsAddressOf({ serviceNetwork: '10.96.0.0/12' }), '10.96.0.10');
  assert.equal(dnsAddressOf({ serviceNetwork: '192.168.255.0/24' }), '192.168.255.10');
});

test('parseIpv4 takes dotted addresses in their one form', () => {
  fc.assert(fc.property(fc.ipV4(), (address) => assert.notEqual(parseIpv4(address), undefined)));
  for (const text of ['1.2.3', '01.2.3.4', '256.1.1.1', '1.2.3.4.5', '::1', ''])
    assert.equal(parseIpv4(text), undefined);
});

test('the address of a node is the named one, or its only one', () => {
  assert.equal(chooseAddress('', ['10.0.0.1', 'fd00::1']), '10.0.0.1');
  assert.equal(chooseAddress('10.0.0.2', ['10.0.0.1', '10.0.0.2']), '10.0.0.2');
  for (const [wanted, addresses] of [
    ['', []],
    ['', ['10.0.0.1', '10.0.0.2']],
    ['10.0.0.3', ['10.0.0.1']],
    ['fd00::1', ['fd00::1']],
  ] as const)
    assert.throws(
      () => chooseAddress(wanted, addresses),
      (reason) => reason instanceof PlinthError && reason.code === 'kubernetes/address-unknown',
    );
});
