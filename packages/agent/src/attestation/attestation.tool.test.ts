import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { connectNode, type NodeTarget } from '@plinth/api';
import {
  FIRMWARE_PCRS,
  judgeEvidence,
  makeCredential,
  readFirmwareLog,
  readPublicArea,
  readSystemLog,
} from '@plinth/attest';
import { recordedBoot, type SoftTpm, startSoftTpm } from '@plinth/attest/testing';
import { hex } from '@plinth/formats';
import { openToolbox } from '@plinth/toolbox';
import { type NodeIdentity, openIdentity } from '../identity/open-identity.ts';
import type { Integrity } from '../integrity/collect-integrity.ts';
import { type Listener, serve } from '../server/serve.ts';
import { memoryStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { attestationService } from './attestation-service.ts';

// A node whose TPM is swtpm, with the measurements of a recorded boot in it, called over TLS as any node is.

const boot = recordedBoot();
const { rootHash } = boot.reference;
const authority = makeAuthority();
const operator = authority.issue({ organisations: ['plinth:operator'] });
const reader = authority.issue();
let soft: SoftTpm;
let identity: NodeIdentity;
let listener: Listener;
let toolbox: Awaited<ReturnType<typeof openToolbox>>;

const integrity = async (): Promise<Integrity> => ({
  ...{ verdict: 'pass', checks: [], mounts: [], pcrs: [], rootHash, layerRootHashes: [], observedAtMs: 0 },
});

function machine(registers: ReadonlyMap<number, string> = boot.registers) {
  const pcrs = [...registers].map(([pcr, value]) => [`/sys/class/tpm/tpm0/pcr-sha256/${pcr}`, `${value}\n`]);
  return fakeSys({
    files: {
      ...Object.fromEntries(pcrs),
      '/sys/kernel/security/tpm0/binary_bios_measurements': boot.firmwareLog,
      '/run/log/systemd/tpm2-measure.log': boot.systemLog,
      '/proc/cmdline': `roothash=${rootHash}`,
      '/sys/fs/selinux/enforce': '1',
    },
  });
}

async function serveNode(openTpm: () => Promise<{ tpm: SoftTpm['tpm'] } & AsyncDisposable>, sys = machine()) {
  return serve({
    ...{ port: 0, bindAddress: '127.0.0.1', nowMs: Date.now, audit: () => {} },
    certificatePem: identity.certificatePem,
    privateKeyPem: identity.privateKeyPem,
    clientAuthoritiesPem: [authority.certificatePem],
    routes: attestationService({ sys, nodeId: boot.nodeId, integrity, openTpm }),
  });
}

/** swtpm has no resource manager: what a piece of work has loaded is flushed here. */
async function openSoft() {
  const loaded: number[] = [];
  const keep = async (key: Promise<{ handle: number; publicArea: Uint8Array }>) => {
    loaded.push((await key).handle);
    return key;
  };
  return {
    tpm: {
      ...soft.tpm,
      createEk: () => keep(soft.tpm.createEk()),
      createAk: () => keep(soft.tpm.createAk()),
    },
    [Symbol.asyncDispose]: async () => {
      for (const handle of loaded) await soft.tpm.flush(handle);
    },
  };
}

before(async () => {
  toolbox = await openToolbox();
  soft = await startSoftTpm(toolbox);
  const events = [...readFirmwareLog(boot.firmwareLog).events, ...readSystemLog(boot.systemLog)];
  for (const { pcr, sha256 } of events) await soft.extend(pcr, sha256);
  identity = await openIdentity(memoryStore('a test'), 'node-1');
  listener = await serveNode(openSoft);
});
after(async () => {
  await listener.close();
  await soft[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

function client(as = operator, more: Partial<NodeTarget> = {}) {
  return connectNode({
    ...{ address: '127.0.0.1', port: listener.port, fingerprint: identity.fingerprint, timeoutMs: 10_000 },
    ...{ clientCertificatePem: as.certificatePem, clientKeyPem: as.keyPem },
    ...more,
  });
}

function judge(
  akPublic: Uint8Array,
  nonce: Uint8Array,
  { evidence, channel }: Awaited<ReturnType<ReturnType<typeof client>['attestation']['attest']>>,
) {
  return judgeEvidence({
    evidence,
    exchange: { nonce, channel, askedAtMs: 0, answeredAtMs: 1 },
    known: {
      ...{ nodeId: boot.nodeId, akPublic, newestVersion: '' },
      firmware: new Map(FIRMWARE_PCRS.map((pcr) => [pcr, boot.registers.get(pcr) ?? ''])),
    },
    references: [boot.reference],
  });
}

const newNonce = () => new Uint8Array(randomBytes(32));

test('a node proves its keys, and its boot passes over the connection that it was asked on', async () => {
  using node = client();
  const { ekPublic, akPublic, ekCertificate } = await node.attestation.keys();
  assert.equal(ekCertificate.length, 0);
  const secret = newNonce();
  const credential = makeCredential(
    readPublicArea(ekPublic),
    readPublicArea(akPublic).name,
    secret,
    newNonce(),
  );
  assert.equal(hex(await node.attestation.activateCredential(credential)), hex(secret));
  const nonce = newNonce();
  const answer = await node.attestation.attest(nonce);
  const { verdict, findings, facts } = judge(akPublic, nonce, answer);
  assert.deepEqual(findings, []);
  assert.equal(verdict, 'pass');
  assert.equal(facts?.selinux, 'on');
});

test('the same evidence is refused on another connection of the same client', async () => {
  using first = client();
  using second = client();
  const { akPublic } = await first.attestation.keys();
  const nonce = newNonce();
  const { evidence } = await first.attestation.attest(nonce);
  const { channel } = await second.attestation.attest(nonce);
  const relayed = judge(akPublic, nonce, { evidence, channel });
  assert.deepEqual(
    relayed.findings.map(({ reason }) => reason),
    ['not-for-this-challenge'],
  );
});

test('through bytes that somebody else carries it is the same session, and passes', async () => {
  const openBytes = async () => connect(listener.port, '127.0.0.1');
  using node = client(reader, { address: 'node-1', port: 7546, openBytes });
  const { akPublic } = await node.attestation.keys();
  const nonce = newNonce();
  assert.equal(judge(akPublic, nonce, await node.attestation.attest(nonce)).verdict, 'pass');
});

test('a reader may not have credentials opened; sizes are bounds; without a TPM it says so', async () => {
  using weak = client(reader);
  const credential = { blob: newNonce(), encryptedSeed: newNonce() };
  await assert.rejects(weak.attestation.activateCredential(credential), { code: 'api/forbidden' });
  await assert.rejects(weak.attestation.attest(new Uint8Array(31)), { code: 'api/bad-request' });
  using node = client();
  await assert.rejects(node.attestation.activateCredential(credential), { code: 'attest/tpm-refused' });
  const bare = await serveNode(() =>
    import('./tpm-device.ts').then((own) => own.openTpmDevice('/nonexistent')),
  );
  try {
    using lost = client(operator, { port: bare.port });
    await assert.rejects(lost.attestation.keys(), { code: 'attest/no-tpm' });
  } finally {
    await bare.close();
  }
});

test('registers that change under the quote are given as they are, and refused by the judge', async () => {
  const other = new Map<number, string>([...boot.registers, [12, 'ab'.repeat(32)]]);
  const lying = await serveNode(openSoft, machine(other));
  try {
    using node = client(operator, { port: lying.port });
    const { akPublic } = await node.attestation.keys();
    const nonce = newNonce();
    const { findings } = judge(akPublic, nonce, await node.attestation.attest(nonce));
    assert.ok(findings.some(({ reason }) => reason === 'other-registers'));
  } finally {
    await lying.close();
  }
});
