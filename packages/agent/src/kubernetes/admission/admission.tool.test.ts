import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatVerification, VERIFICATION_SECRET } from '@plinth/attest';
import { crookedBoots, recordedBoot } from '@plinth/attest/testing';
import { eventually, scratchFolder } from '@plinth/host/testing';
import { findKubernetesPrograms, type KubernetesPrograms, startControlPlane } from '@plinth/image/testing';
import { nodeSys } from '../../sys/node-sys.ts';
import { readAdminCredentials } from '../access/credentials.ts';
import { openKubeClient } from '../access/kube-client.ts';
import { openClusterAccess } from '../access/open-cluster-access.ts';
import { asker, issued } from '../access/testing/ask-certificates.ts';
import { approveRequests } from '../approve/approve-requests.ts';
import { SIGNERS } from '../approve/judge-request.ts';
import { openAdmission } from './admission.ts';
import { askNode } from './ask-node.ts';
import { servePaperNode } from './testing/paper-node.ts';

// Against a real API server and the controller manager that signs: a node that proves what it booted, and then does not.

const MINUTE_MS = 60_000;
const manifest = fileURLToPath(
  new URL(
    '../../../../../os/kubernetes/tree/usr/share/plinth/kubernetes/manifests/access.yaml',
    import.meta.url,
  ),
);
const self = { nodeId: 'a0', nodeName: 'node-1', nodeAddress: '192.0.2.1', role: 'control-plane' } as const;

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: a node gets certificates for a proof of what it booted, and none without`,
    { skip: kubernetes.skip, timeout: 300_000 },
    () => prove(kubernetes),
  );
}

async function prove(kubernetes: KubernetesPrograms): Promise<void> {
  await using plane = await startControlPlane(kubernetes, { controllers: true });
  const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=plinth'];
  await plane.kubectl(...apply, '-f', manifest);
  const sys = nodeSys();
  const credentials = await readAdminCredentials(sys, plane.at('super-admin.conf'));
  const client = openKubeClient({
    endpoint: async () => ({ ...credentials, host: '127.0.0.1', port: plane.apiPort }),
  });
  const access = openClusterAccess({ client, sys, pki: plane.pki });
  const folder = await scratchFolder('admission');
  const nowMs = Date.now();
  const said: string[] = [];
  await using paper = await servePaperNode('node-5');
  const asking = openAdmission({
    ...{ client, say: (line) => said.push(line), audit: () => {}, nowMs: () => provenMs + performance.now() },
    ask: (node, by, enrolment) =>
      askNode(node, by, enrolment, { port: paper.port, timeoutMs: 120_000, nowMs: () => 0 }),
  });
  let provenMs = 0;
  const decide = async (request: string) =>
    eventually(
      async () => {
        const { decisions } = await approveRequests({ client, self, admission: asking, nowMs: () => nowMs });
        const found = decisions.find((each) => each.request === request)?.judgement;
        return found !== undefined && found.verdict !== 'leave' && found;
      },
      { patienceMs: 250_000 },
    );
  const { nodeName, nodeId } = paper.node;
  const secret = formatVerification({
    rule: 'required',
    references: [recordedBoot().reference],
    ...paper.verifier,
  });
  await client.create('/api/v1/namespaces/kube-system/secrets', {
    ...{ apiVersion: 'v1', kind: 'Secret', stringData: secret },
    metadata: { name: VERIFICATION_SECRET, namespace: 'kube-system' },
  });
  await assert.rejects(asking.invite(paper.node, undefined), { code: 'attest/enrolment-needed' });
  await asking.invite(paper.node, paper.enrolment);
  const { token } = await access.createToken(paper.node, 60 * MINUTE_MS);
  provenMs += 10 * MINUTE_MS;
  const key = await asker(plane, ['--token', token]).request(folder, 'proven', nodeName, SIGNERS.client);
  const { verdict, reason } = await decide('proven');
  assert.deepEqual([verdict, reason], ['approve', `invitation of machine ${nodeId}`]);
  const pem = await issued(plane, 'proven');
  assert.equal(paper.quotes, 2, 'once for the invitation, once for the certificate');

  // It boots something else, and its certificate is to be renewed.
  paper.parts = crookedBoots()[0]?.parts ?? paper.parts;
  provenMs += 10 * MINUTE_MS;
  await writeFile(join(folder, 'proven.pem'), `${pem}${await readFile(key, 'utf8')}`);
  const path = join(folder, 'proven.pem');
  const asNode = asker(plane, ['--client-certificate', path, '--client-key', path]);
  await asNode.request(folder, 'crooked', nodeName, SIGNERS.client);
  const denied = await decide('crooked');
  assert.equal(denied.verdict, 'deny');
  const condition = await plane.kubectl(
    'get',
    'csr',
    'crooked',
    '-o=jsonpath={.status.conditions[0].message}',
  );
  assert.match(condition, /^the node did not prove what it booted: .*first difference: PCR 4 UKI is missing/);
  await assert.rejects(asking.invite(paper.node, paper.enrolment), { code: 'attest/not-passed' });
  await client.remove(`/api/v1/namespaces/kube-system/secrets/${VERIFICATION_SECRET}`);
  await access.forgetNode(nodeName);
  await asking.forget(nodeName);
  client.close();
}
