import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startIssuer, type TestIssuer } from '@plinth/agent/testing';
import { connectNode } from '@plinth/api';
import { codeOf } from '@plinth/host/testing';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootAgain, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, bareSpec, openBootLab } from '../testkit/boot-lab.ts';
import { makeFatDrive } from '../testkit/config-drives.ts';
import { HOST_SEEN_BY_GUEST } from '../testkit/guest-network.ts';
import { joinConfig } from '../testkit/owner.ts';

// People who log in with a real OpenID Connect issuer on this computer, at a booted node that asks it for its keys. Its config
// comes on a FAT drive: that such a drive is read needs a first boot, and no machine of its own.

const CALL_MS = 60_000;

suite('a node whose config names an issuer', () => {
  const NAME = 'login';
  const ISSUER = 'issuer.test';
  let lab: BootLab;
  let issuer: TestIssuer;
  let booted: BootedImage;

  before(async () => {
    lab = await openBootLab();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    issuer = await startIssuer({
      hostName: ISSUER,
      keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }],
      accounts: [{ id: 'ann', groups: ['ops'] }, { id: 'bob' }],
    });
    const oidc = {
      ...{ issuer: issuer.issuer, clientId: 'plinth', certificateAuthority: issuer.authorityPem },
      ...{ scopes: ['groups'], roles: [{ role: 'operator', groups: ['ops'] }] },
    };
    const machineConfig = joinConfig(
      { kind: 'Machine', name: NAME },
      { kind: 'ApiAccess', clientAuthorities: [lab.keys.signers['api-authority'].certificatePem], oidc },
      { kind: 'Network', hosts: [{ address: HOST_SEEN_BY_GUEST, names: [ISSUER] }] },
    );
    const drive = await makeFatDrive(lab.toolbox, join(lab.scratch, 'login.fat'), {
      'user-data': machineConfig,
      'meta-data': 'instance-id: boot-test\n',
    });
    booted = await bootAgain(lab, bareSpec(lab, NAME, { extraDrives: [drive] }), {
      title: 'a drive CIDATA, FAT, with a config that names an issuer',
      expected: 'ready',
    });
  });
  after(async () => {
    await issuer?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  test('has its config from a drive on FAT', async () => {
    using admin = lab.owner.connect(endpointOf(booted));
    const { nodeName, configSource } = await admin.getIdentity();
    assert.deepEqual([nodeName, configSource], [NAME, 'nocloud']);
  });

  test('gives a certificate for a token of it, with the role of the group, and to nobody else', async () => {
    using stranger = connectNode({ ...endpointOf(booted), timeoutMs: CALL_MS });
    assert.equal((await stranger.login.get()).issuer, issuer.issuer);
    assert.equal(await codeOf(stranger.getHealth()), 'api/forbidden');
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const given = await stranger.login.exchange({ idToken: await issuer.tokenFor('ann'), publicKey: spki });
    assert.deepEqual([given.name, given.role], ['oidc:ann', 'plinth:operator']);
    using ann = connectNode({
      ...{ ...endpointOf(booted), timeoutMs: CALL_MS, clientCertificatePem: given.certificate },
      clientKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    });
    const { caller } = await ann.getIdentity();
    assert.deepEqual([caller?.commonName, caller?.role], ['oidc:ann', 'plinth:operator']);
    const refused = { outcome: 'refused', by: "plinthd's API" } as const;
    await attack(lab, 'Plan a machine config as an operator', refused, async () => {
      const code = await codeOf(ann.config.plan({ toRevision: 1 }));
      assert.equal(code, 'api/forbidden');
      return code;
    });
    await attack(lab, 'Log in as somebody without a role', refused, async () => {
      const none = stranger.login.exchange({ idToken: await issuer.tokenFor('bob'), publicKey: spki });
      const code = await codeOf(none);
      assert.equal(code, 'access/no-role');
      return code;
    });
    using admin = lab.owner.connect(endpointOf(booted));
    const records: string[] = [];
    for await (const lines of admin.audit.read()) records.push(...lines);
    assert.ok(records.some((line) => line.includes('name=oidc:ann issued=plinth:operator serial=')));
  });
});
