import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { NodeClient } from '@plinth/api';
import { readPublicArea } from '@plinth/attest';
import { paperTpm } from '@plinth/attest/testing';
import { removeTree } from '@plinth/host';
import { proveKeys } from './enrol-node.ts';

// Certificates of endorsement keys as a TPM's maker gives them, by the openssl program: another hand than the code under test.

const tpm = paperTpm();
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-ek-'));
  for (const name of ['maker', 'stranger']) {
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/O=TPM makers/CN=${name}`],
    );
  }
  await writeFile(
    join(folder, 'both.pem'),
    openssl('x509', '-in', 'stranger.pem') + openssl('x509', '-in', 'maker.pem'),
  );
});
after(() => removeTree(folder));

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString('utf8');
}

/** The maker's certificate for an endorsement key. */
async function certify(area: Uint8Array, days = '30'): Promise<Uint8Array> {
  const pem = readPublicArea(area).key.export({ type: 'spki', format: 'pem' }).toString();
  await writeFile(join(folder, 'ek.pub'), pem);
  openssl('req', '-new', '-key', 'maker.key', '-subj', '/CN=a TPM', '-out', 'ek.csr');
  openssl(
    ...['x509', '-req', '-in', 'ek.csr', '-force_pubkey', 'ek.pub', '-days', days, '-set_serial', '7'],
    ...['-CA', 'maker.pem', '-CAkey', 'maker.key', '-out', 'ek.pem'],
  );
  return new Uint8Array(new X509Certificate(openssl('x509', '-in', 'ek.pem')).raw);
}

/** As much of a node as enrolment talks to. */
function nodeWith(ekCertificate: Uint8Array): NodeClient {
  const attestation: Partial<NodeClient['attestation']> = {
    keys: async () => ({
      $typeName: 'plinth.node.v1.GetAttestationKeysResponse',
      ...{ ekPublic: tpm.ekPublic, akPublic: tpm.akPublic, ekCertificate },
    }),
    activateCredential: async (credential) => tpm.activate(credential) ?? new Uint8Array(),
  };
  return { attestation } as unknown as NodeClient;
}

const authority = (name: string) => join(folder, `${name}.pem`);

test('a TPM whose maker is known is enrolled with its name', async () => {
  const node = nodeWith(await certify(tpm.ekPublic));
  assert.equal((await proveKeys(node, authority('maker'))).vouchedBy, 'O=TPM makers, CN=maker');
  assert.equal((await proveKeys(node, authority('both'))).vouchedBy, 'O=TPM makers, CN=maker');
  assert.equal((await proveKeys(node, undefined)).vouchedBy, '');
});

test('a certificate by somebody else, of another key, outside its validity, or none, is refused', async () => {
  const refusedAs = (node: NodeClient, message: RegExp) =>
    assert.rejects(proveKeys(node, authority('maker')), { code: 'attest/enrolment-refused', message });
  const own = nodeWith(await certify(tpm.ekPublic));
  await assert.rejects(proveKeys(own, authority('stranger')), {
    code: 'attest/enrolment-refused',
    message: /no authority in .* has issued/,
  });
  await refusedAs(nodeWith(await certify(paperTpm().ekPublic)), /of another endorsement key/);
  await refusedAs(nodeWith(await certify(tpm.ekPublic, '-1')), /outside its validity/);
  await refusedAs(nodeWith(Uint8Array.of(1, 2, 3)), /is none/);
  await refusedAs(nodeWith(new Uint8Array()), /no certificate of its maker/);
});
