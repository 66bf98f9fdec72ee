import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { z } from 'zod';
import { nodeSys } from '../../sys/node-sys.ts';
import { readAdminCredentials } from '../access/credentials.ts';
import { issueClientCertificate } from '../access/issue-certificate.ts';
import { openKubeClient } from '../access/kube-client.ts';
import { forgetNode, keepNodeRecord } from '../access/node-records.ts';
import { bringKey, escrowName, SECRETS } from './escrow-secret.ts';
import { openEscrowGrants } from './grant-escrow.ts';

// Recovery keys on a real API server: each node writes its own with its own rights, and reads nobody's.

const VOLUMES = ['4f1c9b52-6f0e-4d2c-9c58-0f3c3f9f4d11', '9a3f0f4e-52b4-4f43-8a54-1f6f0f4c7a22'] as const;
const KEYS = ['cbdefghi', 'jklnrtuv'].map((group) => Array(8).fill(group).join('-'));
const REFUSED = { code: 'kubernetes/api-refused' };
const secretSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: a node brings the recovery key of its /var, and reaches no other`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  await plane.kubectl(
    ...['create', 'clusterrolebinding', 'kubeadm:cluster-admins'],
    ...['--clusterrole=cluster-admin', '--group=kubeadm:cluster-admins'],
  );
  const at = { host: '127.0.0.1', port: plane.apiPort };
  const admin = { ...at, ...(await readAdminCredentials(nodeSys(), plane.at('admin.conf'))) };
  const client = openKubeClient({ endpoint: async () => admin });
  const caPem = await readFile(join(plane.pki, 'ca.crt'), 'latin1');
  const issued = await issueClientCertificate(caPem, await readFile(join(plane.pki, 'ca.key'), 'latin1'), {
    ...{ commonName: 'system:node:n1', organisation: 'system:nodes' },
    ...{ notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 },
  });
  const own = { ...at, caPem, certificatePem: issued.certificatePem, keyPem: issued.keyPem };
  const asNode = openKubeClient({ endpoint: async () => own });
  const bring = (node: string, index: 0 | 1) =>
    bringKey(asNode, node, { volumeId: VOLUMES[index], recoveryKey: KEYS[index] ?? '' });
  const stored = async (node: string) => {
    const { data } = await client.get(`${SECRETS}/${escrowName(node)}`, secretSchema);
    return Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]),
    );
  };
  let nowMs = 0;
  const grant = openEscrowGrants(client, () => nowMs);
  try {
    await assert.rejects(bring('n1', 0), REFUSED);
    for (const nodeName of ['n1', 'n2'])
      await keepNodeRecord(client, { nodeId: nodeName, nodeName, nodeAddress: '192.0.2.1', role: 'worker' });
    await grant();
    assert.equal(await bring('n1', 0), 'kube-system/plinth-var-key-n1');
    // A second volume of the same node takes nothing from the first.
    await bring('n1', 1);
    assert.deepEqual(await stored('n1'), { [VOLUMES[0]]: KEYS[0], [VOLUMES[1]]: KEYS[1] });

    // It reads none, writes no other, and makes none.
    await assert.rejects(bring('n2', 0), REFUSED);
    for (const path of [SECRETS, `${SECRETS}/${escrowName('n1')}`, `${SECRETS}/${escrowName('n2')}`])
      await assert.rejects(asNode.get(path, z.any()), REFUSED, path);
    await assert.rejects(
      asNode.create(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'other', namespace: 'kube-system' },
      }),
      REFUSED,
    );

    // Rounds go on, and what somebody deleted comes again.
    await client.remove(`${SECRETS}/${escrowName('n1')}`);
    await grant();
    await assert.rejects(bring('n1', 1), REFUSED);
    nowMs += 24 * 3_600_000;
    await grant();
    await bring('n1', 1);
    assert.deepEqual(await stored('n1'), { [VOLUMES[1]]: KEYS[1] });

    // Who has left writes no more; what it brought is still there.
    await forgetNode(client, 'n1');
    await grant();
    await assert.rejects(bring('n1', 0), REFUSED);
    assert.deepEqual(await stored('n1'), { [VOLUMES[1]]: KEYS[1] });
  } finally {
    client.close();
    asNode.close();
  }
}
