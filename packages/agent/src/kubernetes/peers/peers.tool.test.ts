import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { z } from 'zod';
import { nodeSys } from '../../sys/node-sys.ts';
import type { InvitedNode } from '../access/cluster-access.ts';
import { readAdminCredentials } from '../access/credentials.ts';
import { issueClientCertificate } from '../access/issue-certificate.ts';
import { openKubeClient } from '../access/kube-client.ts';
import { forgetNode, keepNodeRecord } from '../access/node-records.ts';
import { readPeers } from './peer-list.ts';
import { publishRound } from './run-publisher.ts';

// The list of peers on a real API server with the rules of the layer: control planes write it, nodes read it alone.

const manifest = fileURLToPath(
  new URL(
    '../../../../../os/kubernetes/tree/usr/share/plinth/kubernetes/manifests/access.yaml',
    import.meta.url,
  ),
);
const self: InvitedNode = {
  nodeId: 'a0',
  nodeName: 'node-1',
  nodeAddress: '192.0.2.1',
  role: 'control-plane',
};
const worker: InvitedNode = { nodeId: 'a1', nodeName: 'node-2', nodeAddress: '192.0.2.2', role: 'worker' };

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: nodes read who their peers are, and nothing else`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes);
  await plane.kubectl('apply', '--server-side', '--field-manager=plinth', '-f', manifest);
  await plane.kubectl(
    ...['create', 'clusterrolebinding', 'kubeadm:cluster-admins'],
    ...['--clusterrole=cluster-admin', '--group=kubeadm:cluster-admins'],
  );
  const at = { host: '127.0.0.1', port: plane.apiPort };
  const admin = { ...at, ...(await readAdminCredentials(nodeSys(), plane.at('admin.conf'))) };
  const client = openKubeClient({ endpoint: async () => admin });
  const authority = await readFile(join(plane.pki, 'ca.crt'), 'latin1');
  const issued = await issueClientCertificate(
    authority,
    await readFile(join(plane.pki, 'ca.key'), 'latin1'),
    {
      ...{ commonName: 'system:node:node-2', organisation: 'system:nodes' },
      ...{ notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 },
    },
  );
  const own = { ...at, caPem: authority, certificatePem: issued.certificatePem, keyPem: issued.keyPem };
  const asNode = openKubeClient({ endpoint: async () => own });
  try {
    assert.deepEqual(await readPeers(asNode), []);

    await client.create('/api/v1/nodes', {
      ...{ apiVersion: 'v1', kind: 'Node' },
      metadata: { name: 'node-2', labels: { zone: 'a' } },
    });
    await keepNodeRecord(client, worker);
    await publishRound(client, self);
    const peers = await readPeers(asNode);
    assert.deepEqual(
      peers.map(({ name, nodeId, address, role }) => [name, nodeId, address, role]),
      [
        ['node-1', 'a0', '192.0.2.1', 'control-plane'],
        ['node-2', 'a1', '192.0.2.2', 'worker'],
      ],
    );
    assert.equal(peers[1]?.labels['zone'], 'a');

    // A round that changes nothing writes nothing.
    const path = '/api/v1/namespaces/kube-system/configmaps/plinth-peers';
    const version = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
    const before = (await client.get(path, version)).metadata.resourceVersion;
    await publishRound(client, self);
    assert.equal((await client.get(path, version)).metadata.resourceVersion, before);

    // A node can neither read more of this kind nor write what its client believes.
    for (const denied of ['/api/v1/namespaces/kube-system/configmaps', '/api/v1/nodes'])
      await assert.rejects(asNode.get(denied, z.any()), { code: 'kubernetes/api-refused' }, denied);
    await assert.rejects(asNode.patch(path, { data: { peers: '[]' } }), { code: 'kubernetes/api-refused' });
    await assert.rejects(
      asNode.get('/api/v1/namespaces/kube-system/configmaps/plinth-node-node-1', z.any()),
      {
        code: 'kubernetes/api-refused',
      },
    );

    await forgetNode(client, 'node-2');
    await publishRound(client, self);
    assert.deepEqual(
      (await readPeers(asNode)).map(({ name }) => name),
      ['node-1'],
    );
  } finally {
    client.close();
    asNode.close();
  }
}
