import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '@plinth/host';
import { findGoComponent } from '../go/build-go-component.ts';
import { loadGoComponents } from '../go/go-component.ts';
import { readGoToolchainKey } from '../go/go-tools.ts';
import { loadLayerSpec } from './layer-spec.ts';

// The built programs as a control plane on loopback: certificates by kubeadm, then etcd and the API server, asked by
// kubectl. For every version that lies compiled in the cache; compiling takes minutes and is not for a test to start.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const key = await readGoToolchainKey(join(repository, 'os'));
const known = await loadGoComponents(join(repository, 'go'));
const { minors } = await loadLayerSpec(join(repository, 'os/kubernetes/layer.yaml'));
/** Documentation address (RFC 5737): kubeadm wants one that is not loopback, and nothing is ever sent to it. */
const ADVERTISED = '192.0.2.1';
/** How long a part may take to answer on a busy machine; a part that ends is noticed at once. */
const PATIENCE_MS = 300_000;

for (const minor of minors) {
  const component = known.get(`kubernetes-${minor}`);
  const built = component && (await findGoComponent(component, key));
  const skip =
    built === undefined && `Kubernetes ${minor} is not compiled on this machine ("plinth kubernetes build")`;
  controlPlane(minor, skip, built?.component.version ?? '', built?.programs ?? new Map<string, string>());
}

function controlPlane(
  minor: string,
  skip: string | false,
  version: string,
  programs: ReadonlyMap<string, string>,
): void {
  let dir = '';
  const started: ChildProcess[] = [];
  const at = (name: string) => join(dir, name);
  /** Starts a part by its name, as the links in the layer do. */
  const kube = (name: string, ...args: string[]) =>
    run(at(name), args, { cwd: dir, env: { PATH: dir, HOME: dir } });

  before(async () => {
    if (skip) return;
    dir = await mkdtemp(join(tmpdir(), 'plinth-kube-'));
    for (const name of [
      'kubelet',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kube-proxy',
      'etcd',
    ])
      await symlink(programs.get('plinth-kube') ?? '', at(name));
    for (const name of ['kubeadm', 'kubectl']) await symlink(programs.get('plinth-kubeadm') ?? '', at(name));
  });
  after(async () => {
    await Promise.all(started.map(end));
    if (dir) await rm(dir, { recursive: true });
  });

  test(`Kubernetes ${minor}: every part says the version it is`, { skip }, async () => {
    const parts = ['kubelet', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
    for (const part of parts) {
      assert.equal((await kube(part, '--version')).stdout.toString(), `Kubernetes v${version}\n`);
    }
    assert.equal((await kube('kubeadm', 'version', '-o=short')).stdout.toString(), `v${version}\n`);
    const client = JSON.parse((await kube('kubectl', 'version', '--client', '-o=json')).stdout.toString());
    assert.equal(client.clientVersion.gitVersion, `v${version}`);
    assert.equal(client.clientVersion.minor, minor.split('.')[1]);
    const unknown = await run(programs.get('plinth-kube') ?? '', ['cp'], { okCodes: [2] });
    assert.match(unknown.stderr, /name one of etcd, kube-apiserver/);
  });

  test(`Kubernetes ${minor}: certificates, etcd and API server work together`, { skip }, async () => {
    const [api, etcd, peer] = await freePorts(3);
    await writeCertificates(kube, dir, version, `127.0.0.1:${api}`);
    start('etcd', [
      `--data-dir=${at('etcd-data')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=http://127.0.0.1:${etcd}`,
      `--advertise-client-urls=http://127.0.0.1:${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
    ]);
    start('kube-apiserver', apiServerArgs(at('pki'), api ?? 0, etcd ?? 0));
    const ca = await readFile(at('pki/ca.crt'), 'utf8');
    await until('kube-apiserver', async () => (await status(api ?? 0, '/readyz', ca)) === 200);

    const kubectl = (...args: string[]) => kube('kubectl', `--kubeconfig=${at('super-admin.conf')}`, ...args);
    const server = JSON.parse((await kubectl('version', '-o=json')).stdout.toString());
    assert.equal(server.serverVersion.gitVersion, `v${version}`);
    await kubectl('create', 'configmap', 'proof', '--from-literal=key=value');
    const kept = await kubectl('get', 'configmap', 'proof', '-o=jsonpath={.data.key}');
    assert.equal(kept.stdout.toString(), 'value');
    await assert.rejects(kube('kubectl', `--kubeconfig=${at('nobody.conf')}`, 'get', 'configmaps'));

    await until('kube-apiserver', async () => {
      await kubectl('get', 'namespace', 'kube-system');
      return true;
    });
    for (const file of await writeManifests(dir)) {
      const { stdout } = await kubectl('create', '--dry-run=server', '--validate=strict', '-f', file);
      assert.match(stdout.toString(), /serviceaccount\/\S+ created/);
    }
  });

  function start(name: string, args: readonly string[]): void {
    const child = spawn(at(name), args, {
      cwd: dir,
      env: { HOME: dir },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    started.push(child);
    void keepOutput(child, at(`${name}.log`));
  }

  /** Asks until the answer is yes. A process that ended will never give it. */
  async function until(name: string, ask: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await ask().catch(() => false))) {
      const ended = started.find(({ exitCode }) => exitCode !== null);
      if (ended || performance.now() > deadline) {
        const log = await readFile(at(`${name}.log`), 'utf8');
        assert.fail(`${name} ${ended ? 'or its etcd ended' : 'does not answer'}:\n${log.slice(-3000)}`);
      }
      await sleep(200);
    }
  }
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

type Kube = (name: string, ...args: string[]) => Promise<unknown>;

async function writeCertificates(kube: Kube, dir: string, version: string, endpoint: string): Promise<void> {
  await mkdir(join(dir, 'pki'));
  await writeFile(
    join(dir, 'kubeadm.yaml'),
    [
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: InitConfiguration',
      `localAPIEndpoint: { advertiseAddress: ${ADVERTISED} }`,
      '---',
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: ClusterConfiguration',
      `kubernetesVersion: v${version}`,
      `certificatesDir: ${join(dir, 'pki')}`,
      `controlPlaneEndpoint: ${endpoint}`,
      'apiServer: { certSANs: [127.0.0.1, localhost] }',
      '',
    ].join('\n'),
  );
  const config = `--config=${join(dir, 'kubeadm.yaml')}`;
  await kube('kubeadm', 'init', 'phase', 'certs', 'all', config);
  await kube('kubeadm', 'init', 'phase', 'kubeconfig', 'super-admin', config, `--kubeconfig-dir=${dir}`);
  const certificate = new X509Certificate(await readFile(join(dir, 'pki/apiserver.crt')));
  assert.ok(certificate.checkIP('127.0.0.1'));
  // Who has no certificate may see nothing.
  const admin = await readFile(join(dir, 'super-admin.conf'), 'utf8');
  await writeFile(join(dir, 'nobody.conf'), admin.replace(/^ *client-(certificate|key)-data: .*\n/gm, ''));
}

function apiServerArgs(pki: string, port: number, etcdPort: number): string[] {
  const file = (name: string) => join(pki, name);
  return [
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--advertise-address=${ADVERTISED}`,
    '--endpoint-reconciler-type=none',
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    // As kubeadm sets it: kube-proxy writes settings of the kernel.
    '--allow-privileged=true',
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
  ];
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(address !== null && typeof address === 'object' ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function status(port: number, path: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, ca }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

async function keepOutput(child: ChildProcess, path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    if (child.stderr) for await (const chunk of child.stderr) await file.write(chunk);
  } finally {
    await file.close();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
