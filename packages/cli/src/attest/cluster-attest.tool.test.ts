import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type ClusterVerification,
  ENROLMENT_KEY,
  formatEnrolment,
  parseEnrolment,
  parseVerification,
  VERIFICATION_SECRET,
} from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { askKube, type KubeConnection, openKubeConnection, readClusterAccess } from '@plinth/kube';
import { initKeys } from '@plinth/trust';
import { z } from 'zod';
import { fakeFleet } from '../testing/fake-fleet.ts';
import { attestedNode, writeReleasePapers } from './testing/attested-node.ts';

// Nodes that attest, and a real API server that has them: a fail closes a node for new pods, a pass opens it.

const signal = AbortSignal.timeout(280_000);
const NODES = '/api/v1/nodes';
const names = ['n1', 'n2', 'n3', 'n4'] as const;

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: cluster attest taints nodes that fail, no more than a share, and opens them again`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  const kubeconfig = plane.at('super-admin.conf');
  using admin = openKubeConnection(await readClusterAccess(kubeconfig, undefined, signal));
  const [, second, third, fourth] = names.map(() => attestedNode());
  const served = names.map((name, index) => {
    const node = [undefined, second, third, fourth][index] ?? attestedNode();
    return { name, node };
  });
  await using fleet = await fakeFleet(...served.map(({ name, node }) => ({ name, more: [node.routes] })));
  for (const { name, node } of served) node.nodeId = fleet.nodes.get(name)?.nodeId ?? '';
  const keys = join(fleet.folder, 'config-dir', 'keys');
  await initKeys(keys);
  const release = await writeReleasePapers(fleet.folder, keys, '0.1.0');
  const others = [{ key: 'example.com/own', effect: 'NoExecute' }];
  // One that Kubernetes knows and nobody can ask, and one with a taint of somebody else.
  for (const name of [...names, 'silent']) {
    const spec = name === 'n2' ? { taints: others } : {};
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec };
    await askKube(admin, { method: 'POST', path: NODES, body }, signal);
  }
  const attest = (...args: string[]) =>
    fleet.plinth('cluster', 'attest', release, '--kubeconfig', kubeconfig, ...args);

  const first = await attest('--enrol');
  assert.match(first.stdout + first.stderr, /n1 +pass[\s\S]*silent +unknown[\s\S]*passed +4 of 5/);
  assert.equal(first.exitCode, 3, 'a node that cannot be asked is no pass');
  assert.deepEqual(await closed(admin), []);

  const sound = second?.registers ?? new Map();
  for (const node of [second, third, fourth]) {
    if (node) node.registers = new Map<number, string>([...sound, [13, 'cd'.repeat(32)]]);
  }
  const dry = await attest('--at-most', '40', '--dry-run');
  assert.match(dry.stdout, /n2 +fail +taint +log-edited[\s\S]*n4 +fail +withheld[\s\S]*nothing changed/);
  assert.deepEqual(await closed(admin), []);
  assert.equal((await attest('--at-most', '40')).exitCode, 3);
  assert.deepEqual(await closed(admin), ['n2'], 'one at first');
  await attest('--at-most', '40');
  assert.deepEqual(await closed(admin), ['n2'], 'and no other for ten minutes');
  await makeOld(admin, 'n2');
  await attest('--at-most', '40');
  await makeOld(admin, 'n3');
  await attest('--at-most', '40');
  assert.deepEqual(await closed(admin), ['n2', 'n3'], 'two of five, and no more');

  if (second) second.registers = sound;
  await attest('--at-most', '40');
  assert.deepEqual(await closed(admin), ['n3', 'n4'], 'a pass opens a node, and there is room for another');
  const { spec } = nodeSchema.parse(await askKube(admin, { method: 'GET', path: `${NODES}/n2` }, signal));
  assert.deepEqual(
    spec.taints.filter(({ key }) => !key.startsWith('node.kubernetes.io/')),
    others,
  );

  // What control planes judge by, before they give a certificate.
  const refused = await attest('--admission', 'required');
  assert.match(refused.stderr, /attest\/not-all-pass/, 'nobody is shut out by it');
  assert.equal(await verificationOf(admin), undefined);
  const report = await attest('--admission', 'report');
  assert.match(report.stdout, /certificates +with a report of the proof of 0\.1\.0; asked .* until \d{4}/);
  const written = await verificationOf(admin);
  assert.deepEqual([written?.rule, written?.references.map(({ version }) => version)], ['report', ['0.1.0']]);
  const certificate = new X509Certificate(written?.certificatePem ?? '');
  assert.match(certificate.subject, /O=plinth:reader[\s\S]*CN=cluster-verifier/);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(written?.keyPem ?? '')));
  const path = '/api/v1/namespaces/kube-system/configmaps/plinth-tpm-n2';
  const { data } = bookSchema.parse(await askKube(admin, { method: 'GET', path }, signal));
  const known = parseEnrolment(data[ENROLMENT_KEY], 'the book');
  assert.deepEqual([known.nodeId, known.newestVersion], [fleet.nodes.get('n2')?.nodeId, '0.1.0']);
  // The cluster has seen a newer release there than this computer: that is kept, and the certificate too.
  const body = { data: { [ENROLMENT_KEY]: formatEnrolment({ ...known, newestVersion: '0.3.0' }) } };
  const contentType = 'application/merge-patch+json';
  await askKube(admin, { method: 'PATCH', path, body, contentType }, signal);
  for (const node of [third, fourth]) if (node) node.registers = sound;
  await askKube(admin, { method: 'DELETE', path: `${NODES}/silent` }, signal);
  assert.equal((await attest('--admission', 'required')).exitCode, 0);
  const required = await verificationOf(admin);
  assert.deepEqual([required?.rule, required?.certificatePem], ['required', written?.certificatePem]);
  const kept = bookSchema.parse(await askKube(admin, { method: 'GET', path }, signal));
  assert.equal(parseEnrolment(kept.data[ENROLMENT_KEY], 'the book').newestVersion, '0.3.0');
  await attest('--admission', 'off');
  assert.equal(await verificationOf(admin), undefined);
}

const bookSchema = z.looseObject({ data: z.object({ [ENROLMENT_KEY]: z.string() }) });

/** What control planes of the cluster judge by, read as plinthd reads it. */
async function verificationOf(admin: KubeConnection): Promise<ClusterVerification | undefined> {
  const secret = z.looseObject({ data: z.record(z.string(), z.base64()) });
  const path = `/api/v1/namespaces/kube-system/secrets/${VERIFICATION_SECRET}`;
  const found = await askKube(admin, { method: 'GET', path }, signal).catch((reason: unknown) => {
    if (reason instanceof PlinthError && reason.code === 'kube/not-found') return undefined;
    throw reason;
  });
  if (found === undefined) return undefined;
  const texts = Object.entries(secret.parse(found).data).map(([key, text]) => [
    key,
    Buffer.from(text, 'base64').toString('utf8'),
  ]);
  return parseVerification(Object.fromEntries(texts));
}

const nodeSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    taints: z
      .array(z.looseObject({ key: z.string(), effect: z.string(), timeAdded: z.string().optional() }))
      .default([]),
  }),
});

/** Lets the taint of a node be of an hour ago. */
async function makeOld(admin: KubeConnection, name: string): Promise<void> {
  const path = `${NODES}/${name}`;
  const { spec } = nodeSchema.parse(await askKube(admin, { method: 'GET', path }, signal));
  const timeAdded = `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 19)}Z`;
  const taints = spec.taints.map((taint) =>
    taint.timeAdded === undefined ? taint : { ...taint, timeAdded },
  );
  assert.notDeepEqual(taints, spec.taints, 'the taint says when it was added');
  const contentType = 'application/merge-patch+json';
  await askKube(admin, { method: 'PATCH', path, body: { spec: { taints } }, contentType }, signal);
}

/** The nodes that take no new pods for attestation. */
async function closed(admin: KubeConnection): Promise<string[]> {
  const list = z.object({ items: z.array(nodeSchema) });
  const { items } = list.parse(await askKube(admin, { method: 'GET', path: NODES }, signal));
  return items
    .filter(({ spec }) =>
      spec.taints.some(({ key, effect }) => key === 'plinth.dev/unattested' && effect === 'NoSchedule'),
    )
    .map(({ metadata }) => metadata.name)
    .sort();
}
