import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '@plinth/host';
import {
  findKubernetesPrograms,
  type KubernetesPrograms,
  openProgramSet,
  startControlPlane,
} from '../testing/control-plane.ts';

// The built programs as a control plane on loopback: certificates by kubeadm, then etcd and the API server, asked by
// kubectl. For every version that lies compiled in the cache.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));

for (const kubernetes of await findKubernetesPrograms()) controlPlane(kubernetes);

function controlPlane(kubernetes: KubernetesPrograms): void {
  const { minor, skip, version, programs } = kubernetes;

  test(`Kubernetes ${minor}: every part says the version it is`, { skip }, async () => {
    await using set = await openProgramSet(kubernetes);
    const parts = ['kubelet', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
    for (const part of parts) {
      assert.equal((await set.run(part, '--version')).stdout.toString(), `Kubernetes v${version}\n`);
    }
    assert.equal((await set.run('kubeadm', 'version', '-o=short')).stdout.toString(), `v${version}\n`);
    const client = JSON.parse((await set.run('kubectl', 'version', '--client', '-o=json')).stdout.toString());
    assert.equal(client.clientVersion.gitVersion, `v${version}`);
    assert.equal(client.clientVersion.minor, minor.split('.')[1]);
    const unknown = await run(programs.get('plinth-kube') ?? '', ['cp'], { okCodes: [2] });
    assert.match(unknown.stderr, /name one of etcd, kube-apiserver/);
  });

  test(`Kubernetes ${minor}: certificates, etcd and API server work together`, { skip }, async () => {
    await using plane = await startControlPlane(kubernetes);
    const certificate = new X509Certificate(await readFile(join(plane.pki, 'apiserver.crt')));
    assert.ok(certificate.checkIP('127.0.0.1'));
    const server = JSON.parse(await plane.kubectl('version', '-o=json'));
    assert.equal(server.serverVersion.gitVersion, `v${version}`);
    await plane.kubectl('create', 'configmap', 'proof', '--from-literal=key=value');
    assert.equal(await plane.kubectl('get', 'configmap', 'proof', '-o=jsonpath={.data.key}'), 'value');

    // Who has no certificate may see nothing.
    const admin = await readFile(plane.at('super-admin.conf'), 'utf8');
    await writeFile(plane.at('nobody.conf'), admin.replace(/^ *client-(certificate|key)-data: .*\n/gm, ''));
    await assert.rejects(
      plane.run('kubectl', `--kubeconfig=${plane.at('nobody.conf')}`, 'get', 'configmaps'),
    );

    for (const file of await writeManifests(plane.dir)) {
      const stdout = await plane.kubectl('create', '--dry-run=server', '--validate=strict', '-f', file);
      assert.match(stdout, /\S+\/\S+ created/);
    }
  });
}

/** What plinthd fills in, with values of no particular cluster. */
const VALUES: Readonly<Record<string, string>> = {
  clusterDomain: 'cluster.local',
  dnsAddress: '10.96.0.10',
  podNetwork: '10.244.0.0/16',
  apiServerHost: '127.0.0.1',
  apiServerPort: '6443',
};

/** Writes the layer's manifests as plinthd would apply them. */
async function writeManifests(dir: string): Promise<string[]> {
  const folder = join(repository, 'os/kubernetes/tree/usr/share/plinth/kubernetes/manifests');
  return Promise.all(
    (await readdir(folder)).map(async (name) => {
      const text = (await readFile(join(folder, name), 'utf8')).replaceAll(
        /\$\{([\w:]+)\}/g,
        (_match, variable: string) => {
          const value = variable.startsWith('image:') ? 'plinth.local/example:1' : VALUES[variable];
          assert.ok(value !== undefined, `${variable} in ${name}`);
          return value;
        },
      );
      await writeFile(join(dir, name), text);
      return join(dir, name);
    }),
  );
}
