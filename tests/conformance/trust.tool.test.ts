import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeText, hex, predictPcr11, sha256 } from '@plinth/formats';
import { exists } from '@plinth/host';
import { openToolbox } from '@plinth/toolbox';
import {
  exportKeys,
  initKeys,
  issueClientCertificate,
  loadKeys,
  signDetached,
  signEfiVariable,
  signPcrPolicies,
  signPe,
  signRootHash,
  verifyDetached,
  verifyPe,
} from '@plinth/trust';

// Our signatures against openssl, sbsigntool, efitools and systemd, run from the toolbox.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-trust-'));
const binds = [{ host: dir, inside: '/mnt/work' }];
const tool = (program: string, ...args: string[]) => toolbox.run(program, args, { binds, cwd: '/mnt/work' });
const file = (name: string) => join(dir, name);

const passphrase = 'correct horse';
await initKeys(file('keys'), { passphrase });
const { signers, certificates, efiVariables, ownerGuid } = await loadKeys(file('keys'), { passphrase });
await exportKeys(file('keys'), dir, 'pem');
await exportKeys(file('keys'), dir, 'esl');
for (const role of ['boot', 'key-exchange-key', 'pcr', 'verity', 'release'] as const) {
  const locked = `keys/${role}-${signers[role].keyId.slice(0, 12)}.key.pem`;
  await tool('openssl', 'pkey', '-in', locked, '-passin', `pass:${passphrase}`, '-out', `${role}.key`);
}
const [loader, stub] = ['systemd-bootx64.efi', 'linuxx64.efi.stub'].map(
  (name) => `/usr/lib/systemd/boot/efi/${name}`,
);
assert.ok(loader && stub);

test('openssl reads and checks encrypted keys and certificates', async () => {
  const { stdout } = await tool('openssl', 'pkey', '-in', 'pcr.key', '-check', '-noout');
  assert.match(stdout.toString(), /Key is valid/);
  const { stdout: text } = await tool('openssl', 'x509', '-in', 'boot.crt', '-noout', '-text');
  assert.match(
    text.toString(),
    /Subject: O\s?=\s?Plinth development, CN\s?=\s?Plinth development boot signing/,
  );
  const client = await issueClientCertificate(signers['api-authority'], {
    role: 'plinth:admin',
    name: 'ada',
    ttlSeconds: 600,
  });
  await writeFile(file('client.crt'), client.certificatePem);
  await tool('openssl', 'verify', '-CAfile', 'api-authority.crt', '-purpose', 'sslclient', 'client.crt');
});

test('signRootHash writes the very bytes of openssl smime', async () => {
  const rootHash = hex(sha256(encodeText('root')));
  await writeFile(file('roothash'), rootHash);
  const options = ['-noattr', '-nocerts', '-binary', '-outform', 'der'];
  await tool(
    'openssl',
    'smime',
    '-sign',
    ...options,
    '-in',
    'roothash',
    '-inkey',
    'verity.key',
    '-signer',
    'verity.crt',
    '-out',
    'roothash.p7s',
  );
  assert.deepEqual(
    new Uint8Array(await readFile(file('roothash.p7s'))),
    await signRootHash(signers.verity, rootHash),
  );
});

test('openssl cms verifies signDetached, and verifyDetached what openssl cms signs', async () => {
  const data = encodeText('0123 *plinth_1.efi\n');
  await writeFile(file('SHA256SUMS'), data);
  await writeFile(file('SHA256SUMS.p7s'), await signDetached(signers.release, data));
  const verify = [
    'cms',
    '-verify',
    '-binary',
    '-inform',
    'der',
    '-in',
    'SHA256SUMS.p7s',
    '-CAfile',
    'release.crt',
    '-purpose',
    'any',
    '-out',
    'verified',
  ];
  await tool('openssl', ...verify, '-content', 'SHA256SUMS');
  await writeFile(file('other'), '0123 *plinth_2.efi\n');
  await assert.rejects(tool('openssl', ...verify, '-content', 'other'), { code: 'host/command-failed' });
  await tool(
    'openssl',
    'cms',
    '-sign',
    '-binary',
    '-in',
    'SHA256SUMS',
    '-inkey',
    'release.key',
    '-signer',
    'release.crt',
    '-outform',
    'der',
    '-out',
    'theirs.p7s',
  );
  assert.equal(
    verifyDetached(data, await readFile(file('theirs.p7s')), certificates('release')).verdict,
    'pass',
  );
});

test('sbverify accepts signPe, and verifyPe what sbsign signs', async () => {
  const program = await readFile(join(toolbox.root, loader));
  await writeFile(file('ours.efi'), await signPe(signers.boot, program));
  await tool('sbverify', '--cert', 'boot.crt', 'ours.efi');
  await assert.rejects(tool('sbverify', '--cert', 'verity.crt', 'ours.efi'), { code: 'host/command-failed' });
  await tool('sbsign', '--key', 'boot.key', '--cert', 'boot.crt', '--output', 'theirs.efi', loader);
  const theirs = await readFile(file('theirs.efi'));
  assert.equal(verifyPe(theirs, certificates('boot')).verdict, 'pass');
  assert.equal(verifyPe(theirs, certificates('verity')).verdict, 'fail');
});

test('key variables are the very bytes of efitools', async (t) => {
  if (!(await exists(join(toolbox.root, '/usr/bin/sign-efi-sig-list')))) {
    t.skip('the toolbox lacks efitools');
    return;
  }
  await tool('cert-to-efi-sig-list', '-g', ownerGuid, 'platform-key.crt', 'theirs.esl');
  assert.deepEqual(new Uint8Array(await readFile(file('theirs.esl'))), efiVariables.PK);
  const options = [
    '-g',
    ownerGuid,
    '-t',
    '2026-11-21 10:20:30',
    '-k',
    'key-exchange-key.key',
    '-c',
    'key-exchange-key.crt',
  ];
  await tool('sign-efi-sig-list', ...options, 'db', 'db.esl', 'theirs.auth');
  assert.deepEqual(
    new Uint8Array(await readFile(file('theirs.auth'))),
    await signEfiVariable(
      signers['key-exchange-key'],
      'db',
      efiVariables.db,
      new Date('2026-11-21T10:20:30Z'),
    ),
  );
});

test('signPcrPolicies writes the very text of systemd-measure', async (t) => {
  const sections = new Map(
    ['linux', 'osrel', 'cmdline', 'initrd'].map((name) => [`.${name}`, encodeText(`content of ${name}`)]),
  );
  for (const [name, content] of sections) await writeFile(file(`section${name}`), content);
  const inputs = [...sections.keys()].map((name) => `--${name.slice(1)}=section${name}`);
  const keys = ['--private-key=pcr.key', '--certificate=pcr.crt'];
  const measure = await toolbox.run(
    '/usr/lib/systemd/systemd-measure',
    ['sign', '--bank=sha256', ...inputs, ...keys],
    {
      binds,
      cwd: '/mnt/work',
      okCodes: [0, 1],
    },
  );
  if (/PolicyPCR digest: Operation not supported/.test(measure.stderr)) {
    t.skip('systemd-measure cannot sign here: the toolbox lacks libtss2-esys');
    return;
  }
  assert.equal(measure.stdout.toString(), await signPcrPolicies(signers.pcr, predictPcr11(sections)));
});
