import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '@plinth/host/testing';
import {
  type ControlPlane,
  findKubernetesPrograms,
  type KubernetesPrograms,
  startControlPlane,
} from '@plinth/image/testing';
import { parse } from 'yaml';
import { z } from 'zod';
import { nodeSys } from '../../sys/node-sys.ts';
import { openAdmission } from '../admission/admission.ts';
import { approveRequests } from '../approve/approve-requests.ts';
import { SIGNERS } from '../approve/judge-request.ts';
import { openBalancer } from '../balance/open-balancer.ts';
import { probeServer } from '../balance/run-balancer.ts';
import { planRenewal } from '../renew/plan-renewal.ts';
import { readCertificates } from '../renew/read-certificates.ts';
import type { InvitedNode } from './cluster-access.ts';
import { readAdminCredentials, readNodeCredentials } from './credentials.ts';
import { listJoinTokens } from './join-tokens.ts';
import { type KubeClient, openKubeClient } from './kube-client.ts';
import { openClusterAccess } from './open-cluster-access.ts';
import { asker, issued } from './testing/ask-certificates.ts';

// Against a real API server with kubeadm's certificates and rules, and the controller manager that signs.

const manifest = fileURLToPath(
  new URL(
    '../../../../../os/kubernetes/tree/usr/share/plinth/kubernetes/manifests/access.yaml',
    import.meta.url,
  ),
);
const MINUTE_MS = 60_000;
const sys = nodeSys();
const self: InvitedNode = {
  nodeId: 'a0',
  nodeName: 'node-1',
  nodeAddress: '192.0.2.1',
  role: 'control-plane',
};
const invited: InvitedNode = { nodeId: 'a1', nodeName: 'node-2', nodeAddress: '192.0.2.2', role: 'worker' };

for (const kubernetes of await findKubernetesPrograms()) {
  test(
    `Kubernetes ${kubernetes.minor}: access to a cluster`,
    { skip: kubernetes.skip, timeout: 300_000 },
    (context) => proveAccess(kubernetes, (name, work) => context.test(name, work)),
  );
}

async function proveAccess(
  kubernetes: KubernetesPrograms,
  part: (name: string, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await using plane = await startControlPlane(kubernetes, { controllers: true });
  const config = `--config=${plane.at('kubeadm.yaml')}`;
  await plane.run(
    'kubeadm',
    'init',
    'phase',
    'upload-config',
    'kubeadm',
    config,
    `--kubeconfig=${plane.at('super-admin.conf')}`,
  );
  await plane.run(
    'kubeadm',
    'init',
    'phase',
    'bootstrap-token',
    config,
    `--kubeconfig=${plane.at('super-admin.conf')}`,
  );
  await plane.kubectl(
    'create',
    'clusterrolebinding',
    'kubeadm:cluster-admins',
    '--clusterrole=cluster-admin',
    '--group=kubeadm:cluster-admins',
  );
  // "kubeadm init phase upload-config kubelet" also writes to a Node, and there is none.
  const kubelet = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
  await plane.kubectl(
    'create',
    'configmap',
    'kubelet-config',
    '-n=kube-system',
    `--from-literal=kubelet=${kubelet}`,
  );
  // As plinth-addons.service does.
  await plane.kubectl(
    'apply',
    '--server-side',
    '--force-conflicts',
    '--field-manager=plinth',
    '-f',
    manifest,
  );
  const credentials = await readAdminCredentials(sys, plane.at('admin.conf'));
  const endpoint = { ...credentials, host: '127.0.0.1', port: plane.apiPort };
  const client = openKubeClient({ endpoint: async () => endpoint });
  const access = openClusterAccess({ client, sys, pki: plane.pki });
  const folder = await scratchFolder('access');
  const said: string[] = [];
  let nowMs = Date.now();
  const say = (line: string) => void said.push(line);
  const admission = openAdmission({ client, say, audit: () => {}, nowMs: () => nowMs });
  const round = async () =>
    (await approveRequests({ client, self, admission, nowMs: () => nowMs })).decisions;

  await part('the hash of the authority is the one openssl computes', async () => {
    const pem = execFileSync('openssl', ['x509', '-in', join(plane.pki, 'ca.crt'), '-pubkey', '-noout']);
    const spki = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'DER'], { input: pem });
    assert.equal(await access.caKeyHash(), `sha256:${createHash('sha256').update(spki).digest('hex')}`);
    assert.deepEqual(await access.apiServers(), [`192.0.2.1:${plane.apiPort}`]);
  });

  await part('a kubeconfig works, names its bearer, and ends in a week', async () => {
    const { kubeconfig, expiresAtMs } = await access.issueKubeconfig(`https://127.0.0.1:${plane.apiPort}`);
    await writeFile(join(folder, 'kubeconfig'), kubeconfig);
    const asked = await plane.run(
      'kubectl',
      `--kubeconfig=${join(folder, 'kubeconfig')}`,
      'auth',
      'whoami',
      '-o=json',
    );
    const { userInfo } = JSON.parse(asked.stdout.toString()).status;
    assert.match(userInfo.username, /^plinth:admin:[0-9a-f]{8}$/);
    assert.deepEqual(userInfo.groups, ['kubeadm:cluster-admins', 'system:authenticated']);
    await plane.run('kubectl', `--kubeconfig=${join(folder, 'kubeconfig')}`, 'get', 'secrets', '-A');
    const pem = Buffer.from(parse(kubeconfig).users[0].user['client-certificate-data'], 'base64');
    const certificate = new X509Certificate(pem);
    assert.ok(certificate.checkIssued(new X509Certificate(plane.caPem)));
    assert.equal(Date.parse(certificate.validTo), Math.floor(expiresAtMs / 1000) * 1000);
    assert.ok(Math.abs(expiresAtMs - Date.now() - 7 * 24 * 60 * MINUTE_MS) < 5 * MINUTE_MS);
  });

  await part('kubeadm reads the uploaded certificates with the key, and a control plane token', async () => {
    const key = await access.uploadCertificates();
    assert.equal(await access.uploadCertificates(), key);
    const { token } = await access.createToken({ ...invited, role: 'control-plane' }, MINUTE_MS * 10);
    await plane.processes.until('kube-controller-manager', () => signed(client, token));
    await downloadCertificates(plane, folder, token, await access.caKeyHash(), key);
    for (const name of ['ca.key', 'sa.key', 'etcd/ca.key', 'front-proxy-ca.key'])
      assert.deepEqual(
        await readFile(join(folder, 'joined', name)),
        await readFile(join(plane.pki, name)),
        name,
      );
    // A worker's token cannot even read what is sealed.
    const worker = await access.createToken(invited, MINUTE_MS * 10);
    await assert.rejects(
      downloadCertificates(plane, folder, worker.token, await access.caKeyHash(), key),
      /kubeadm-certs/,
    );
  });

  await part(
    'an invited node gets its certificates; its token works once, and nobody else gets any',
    async () => {
      const { token, expiresAtMs } = await access.createToken(invited, 60 * MINUTE_MS);
      assert.ok(expiresAtMs <= Date.now() + 15 * MINUTE_MS);
      assert.equal((await listJoinTokens(client)).length, 1, 'the token before this one has ended');
      const asToken = asker(plane, ['--token', token]);
      // Nobody else approves: the controller manager had time to, if it were let.
      const key = await asToken.request(folder, 'mine', 'node-2', SIGNERS.client);
      await asToken.request(folder, 'other', 'node-9', SIGNERS.client);
      await sleep(2_000);
      assert.equal(await plane.kubectl('get', 'csr', 'mine', '-o=jsonpath={.status}'), '{}');

      const verdicts = Object.fromEntries(
        (await round()).map(({ request, judgement }) => [request, judgement]),
      );
      assert.equal(verdicts['mine']?.verdict, 'approve');
      assert.equal(verdicts['other']?.verdict, 'deny');
      assert.equal(verdicts['other']?.reason, 'its token is for node node-2');
      const pem = await issued(plane, 'mine');
      assert.match(new X509Certificate(pem).subject, /O=system:nodes\nCN=system:node:node-2/);

      // The token again, with another key.
      await asToken.request(folder, 'again', 'node-2', SIGNERS.client);
      const [again] = await round();
      assert.equal(again?.judgement.reason, 'its token was used by another key');
      nowMs += MINUTE_MS;
      await round();
      assert.deepEqual(await listJoinTokens(client), []);
      // The API server remembers a token for up to 10 s; what is asked for with it is not approved any more.
      for (let late = 0; ; late++) {
        assert.ok(late < 30, 'the token still works');
        const asked = asToken.request(folder, `late${late}`, 'node-2', SIGNERS.client);
        if (
          !(await asked.then(
            () => true,
            () => false,
          ))
        )
          break;
        const judged = (await round()).find(({ request }) => request === `late${late}`);
        assert.equal(judged?.judgement.verdict, 'leave');
        await sleep(1_000);
      }

      // As the node: serving certificates for itself, its list of API servers, and no more.
      await writeFile(join(folder, 'node.pem'), `${pem}${await readFile(key, 'utf8')}`);
      const node = await readNodeCredentials(sys, join(folder, 'node.pem'), plane.pki);
      const nodeClient = openKubeClient({
        endpoint: async () => ({ ...node, host: '127.0.0.1', port: plane.apiPort }),
      });
      assert.deepEqual(await openClusterAccess({ client: nodeClient, sys }).apiServers(), [
        `192.0.2.1:${plane.apiPort}`,
      ]);
      await assert.rejects(nodeClient.get('/api/v1/namespaces/kube-system/secrets', z.any()), {
        code: 'kubernetes/api-refused',
        details: { status: 403 },
      });
      const asNode = asker(plane, [
        '--client-certificate',
        join(folder, 'node.pem'),
        '--client-key',
        join(folder, 'node.pem'),
      ]);
      const serving = SIGNERS.serving;
      await asNode.request(folder, 'serving', 'node-2', serving, 'DNS:node-2,IP:192.0.2.2');
      await asNode.request(folder, 'wide', 'node-2', serving, 'DNS:node-2,IP:192.0.2.1');
      await asNode.request(folder, 'renewal', 'node-2', SIGNERS.client);
      const own = Object.fromEntries(
        (await round())
          .filter(({ request }) => !request.startsWith('late'))
          .map(({ request, judgement }) => [request, judgement.verdict]),
      );
      assert.deepEqual(own, { renewal: 'approve', serving: 'approve', wide: 'deny' });
      assert.equal(new X509Certificate(await issued(plane, 'serving')).checkIP('192.0.2.2'), '192.0.2.2');

      // Another machine of that name is refused; after the node has left, so is the node, though it has a certificate.
      await assert.rejects(access.createToken({ ...invited, nodeId: 'ff' }, MINUTE_MS), {
        code: 'kubernetes/name-taken',
      });
      const nodePath = join(folder, 'node-2.json');
      const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-2' } };
      await writeFile(nodePath, JSON.stringify(object));
      await plane.kubectl('create', '-f', nodePath);
      await access.forgetNode('node-2');
      assert.equal(await plane.kubectl('get', 'nodes', '--ignore-not-found', 'node-2'), '');
      await asNode.request(folder, 'ghost', 'node-2', SIGNERS.client);
      const ghost = (await round()).find(({ request }) => request === 'ghost');
      assert.equal(ghost?.judgement.reason, 'node node-2 is not a known member');
      await sleep(2_000);
      assert.equal(await plane.kubectl('get', 'csr', 'ghost', '-o=jsonpath={.status}'), '{}');
    },
  );

  await part('uploaded certificates are deleted after their time', async () => {
    nowMs += 20 * MINUTE_MS;
    await round();
    assert.equal(
      await plane.kubectl('get', 'secret', 'kubeadm-certs', '-n', 'kube-system', '--ignore-not-found'),
      '',
    );
  });

  await part('the balancer leads to the API server, and a probe finds it ready', async () => {
    const server = `127.0.0.1:${plane.apiPort}`;
    assert.equal(await probeServer(server, plane.caPem), 'ready');
    assert.equal(await probeServer(`127.0.0.1:${plane.etcdPort}`, plane.caPem), 'no-answer');
    const balancer = await openBalancer({ port: 0 });
    try {
      balancer.setServers([server]);
      const through = openKubeClient({ endpoint: async () => ({ ...endpoint, port: balancer.port }) });
      assert.deepEqual(await openClusterAccess({ client: through, sys }).apiServers(), [
        `192.0.2.1:${plane.apiPort}`,
      ]);
      through.close();
    } finally {
      await balancer.close();
    }
  });

  await part("kubeadm's certificates are known, and become due in their last weeks", async () => {
    const known = await readCertificates(sys, plane.dir);
    assert.equal(known.length, 10);
    assert.deepEqual(planRenewal(known, Date.now()).due, []);
    assert.equal(planRenewal(known, Date.now() + 300 * 24 * 60 * MINUTE_MS).due.length, 10);
  });

  await part('an API server that is away is unreachable, and no error holds a secret', async () => {
    await plane.processes[Symbol.asyncDispose]();
    await assert.rejects(access.createToken(invited, MINUTE_MS), (reason: Error) => {
      assert.ok(!JSON.stringify([reason.message, reason.stack]).includes('PRIVATE KEY'));
      return 'code' in reason && reason.code === 'kubernetes/api-unreachable';
    });
  });
  client.close();
}

/** Whether the controller manager has signed cluster-info with a token. */
async function signed(client: KubeClient, token: string): Promise<boolean> {
  const schema = z.object({ data: z.record(z.string(), z.string()) });
  const { data } = await client.get('/api/v1/namespaces/kube-public/configmaps/cluster-info', schema);
  return `jws-kubeconfig-${token.slice(0, 6)}` in data;
}

/** What "kubeadm join" does to get a control plane's certificates. */
async function downloadCertificates(
  plane: ControlPlane,
  folder: string,
  token: string,
  hash: string,
  key: string,
): Promise<void> {
  await mkdir(join(folder, 'joined'), { recursive: true });
  const path = join(folder, 'join.json');
  await writeFile(
    path,
    JSON.stringify({
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'JoinConfiguration',
      nodeRegistration: { name: 'node-2', criSocket: 'unix:///run/none.sock' },
      discovery: {
        bootstrapToken: { apiServerEndpoint: `127.0.0.1:${plane.apiPort}`, token, caCertHashes: [hash] },
      },
      controlPlane: { certificateKey: key, localAPIEndpoint: { advertiseAddress: '192.0.2.2' } },
    }),
  );
  // kubeadm writes where the cluster's configuration says.
  const text = (
    await plane.kubectl('get', 'configmap', 'kubeadm-config', '-n', 'kube-system', '-o=json')
  ).replaceAll(plane.pki, join(folder, 'joined'));
  await writeFile(join(folder, 'config.json'), text);
  await plane.kubectl('replace', '-f', join(folder, 'config.json'));
  await plane.run('kubeadm', 'join', 'phase', 'control-plane-prepare', 'download-certs', `--config=${path}`);
}
