import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseConfig } from '@plinth/config';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { addressesCheck } from './addresses-check.ts';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

/** The network of a config whose one card has these addresses; without addresses it says nothing of the network. */
function networkWith(addresses: readonly string[] = []) {
  const documents = [
    { kind: 'Machine', name: 'node-1' },
    { kind: 'ApiAccess', clientAuthorities: [authority.certificatePem] },
    ...(addresses.length === 0
      ? []
      : [{ kind: 'Network', interfaces: [{ mac: '52:54:00:0a:05:0b', addresses }] }]),
  ].map((document) => JSON.stringify({ apiVersion: 'plinth.dev/v1alpha1', ...document }));
  const parsed = parseConfig(Buffer.from(documents.join('\n---\n')), 'config.yaml');
  assert.ok(parsed.ok);
  return parsed.value.network;
}

test('a config without addresses asks for none', async () => {
  const check = addressesCheck(
    () => networkWith(),
    () => '',
  );
  assert.equal((await check.observe(fakeSys({}))).verdict, 'pass');
});

test('the check names the addresses the machine lacks, and why', async () => {
  const check = addressesCheck(
    () => networkWith(['10.5.0.11/24', 'fd00:0::b/64']),
    () => 'EROFS: read-only',
  );
  const one = await check.observe(fakeSys({ addresses: ['10.5.0.11'] }));
  assert.deepEqual([one.verdict, one.observed], ['fail', 'absent: fd00:0::b/64; EROFS: read-only']);
  assert.equal((await check.observe(fakeSys({ addresses: ['10.5.0.11', 'fd00::b'] }))).verdict, 'pass');
});
