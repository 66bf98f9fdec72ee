import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunResult, run } from '@plinth/host';
import { findGoComponent } from '../go/build-go-component.ts';
import { loadGoComponents } from '../go/go-component.ts';
import { readGoToolchainKey } from '../go/go-tools.ts';
import { loadLayerSpec } from '../sysext/layer-spec.ts';
import { freePorts, openProcesses, type Processes } from './processes.ts';

export { PATIENCE_MS } from './processes.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
/** Documentation address (RFC 5737): kubeadm wants one that is not loopback, and nothing is ever sent to it. */
const ADVERTISED = '192.0.2.1';
const KUBE = [
  'kubelet',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'etcd',
  'plinth-etcd-restore',
  'plinth-restart-control-plane',
];

/** One compiled version of Kubernetes. */
export interface KubernetesPrograms {
  readonly minor: string;
  /** Why tests with it cannot run, false when they can. */
  readonly skip: string | false;
  readonly version: string;
  /** plinth-kube and plinth-kubeadm by name. */
  readonly programs: ReadonlyMap<string, string>;
}

/** findKubernetesPrograms looks for every minor in the cache: compiling takes minutes and is not for a test to start. */
export async function findKubernetesPrograms(): Promise<readonly KubernetesPrograms[]> {
  const key = await readGoToolchainKey(join(repository, 'os'));
  const known = await loadGoComponents(join(repository, 'go'));
  const { minors } = await loadLayerSpec(join(repository, 'os/kubernetes/layer.yaml'));
  return Promise.all(
    minors.map(async (minor) => {
      const component = known.get(`kubernetes-${minor}`);
      const built = component && (await findGoComponent(component, key));
      return {
        minor,
        skip:
          built === undefined &&
          `Kubernetes ${minor} is not compiled on this machine ("plinth kubernetes build")`,
        version: built?.component.version ?? '',
        programs: built?.programs ?? new Map<string, string>(),
      };
    }),
  );
}

/** A folder in which each program lies under the name it is started by. */
export interface ProgramSet extends AsyncDisposable {
  readonly dir: string;
  at(name: string): string;
  run(name: string, ...args: string[]): Promise<RunResult>;
}

/** A control plane on loopback. */
export interface ControlPlane extends ProgramSet {
  readonly processes: Processes;
  /** kubeadm's folder. */
  readonly pki: string;
  readonly apiPort: number;
  readonly etcdPort: number;
  readonly peerPort: number;
  readonly caPem: string;
  kubectl(...args: string[]): Promise<string>;
}

/** openProgramSet links the programs into a folder of their own. */
export async function openProgramSet({ programs }: KubernetesPrograms): Promise<ProgramSet> {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-kube-'));
  for (const name of KUBE) await symlink(programs.get('plinth-kube') ?? '', join(dir, name));
  for (const name of ['kubeadm', 'kubectl'])
    await symlink(programs.get('plinth-kubeadm') ?? '', join(dir, name));
  return {
    dir,
    at: (name) => join(dir, name),
    run: (name, ...args) => run(join(dir, name), args, { cwd: dir, env: { PATH: dir, HOME: dir } }),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** How a control plane of a test differs from the plainest one. */
export interface ControlPlaneOptions {
  /** Start the controller manager too; a list: with these arguments besides its own. */
  readonly controllers?: boolean | readonly string[];
  /** A line of JSON in `audit.log` of its folder for each call that was answered: who did what, no content. */
  readonly isAudited?: boolean;
}

/**
 * startControlPlane makes certificates with kubeadm and starts etcd and the API server with them, TLS everywhere as on a
 * node; with `controllers`, the controller manager too, given these arguments besides its own. Disposing ends and removes
 * all of it.
 */
export async function startControlPlane(
  kubernetes: KubernetesPrograms,
  { controllers = false, isAudited = false }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const set = await openProgramSet(kubernetes);
  const { dir, at } = set;
  const [apiPort = 0, etcdPort = 0, peerPort = 0, controllerPort = 0] = await freePorts(4);
  await writeCertificates(set, kubernetes.version, `127.0.0.1:${apiPort}`);
  const pki = at('pki');
  const processes = openProcesses(dir);
  processes.start('etcd', etcdArgs(dir, etcdPort, peerPort));
  const audit = isAudited ? await auditArgs(dir) : [];
  processes.start('kube-apiserver', [...apiServerArgs(pki, apiPort, etcdPort), ...audit]);
  const caPem = await readFile(join(pki, 'ca.crt'), 'utf8');
  const kubectl = async (...args: string[]) =>
    (await set.run('kubectl', `--kubeconfig=${at('super-admin.conf')}`, ...args)).stdout.toString();
  const plane: ControlPlane = {
    ...set,
    processes,
    pki,
    apiPort,
    etcdPort,
    peerPort,
    caPem,
    kubectl,
    async [Symbol.asyncDispose]() {
      await processes[Symbol.asyncDispose]();
      await set[Symbol.asyncDispose]();
    },
  };
  try {
    await processes.until('kube-apiserver', async () => (await statusOf(apiPort, '/readyz', caPem)) === 200);
    await processes.until(
      'kube-apiserver',
      async () => (await kubectl('get', 'namespace', 'kube-system')) !== '',
    );
    if (controllers) {
      const more = controllers === true ? [] : controllers;
      processes.start('kube-controller-manager', [...controllerArgs(dir, pki, controllerPort), ...more]);
    }
    return plane;
  } catch (reason) {
    await plane[Symbol.asyncDispose]();
    throw reason;
  }
}

/** The arguments kubeadm gives etcd, on loopback. */
export function etcdArgs(dir: string, port: number, peerPort: number, name = 'default'): string[] {
  const pki = join(dir, 'pki/etcd');
  const peer = `https://127.0.0.1:${peerPort}`;
  return [
    `--name=${name}`,
    `--data-dir=${join(dir, 'etcd-data')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=https://127.0.0.1:${port}`,
    `--advertise-client-urls=https://127.0.0.1:${port}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=${name}=${peer}`,
    '--client-cert-auth=true',
    `--trusted-ca-file=${pki}/ca.crt`,
    `--cert-file=${pki}/server.crt`,
    `--key-file=${pki}/server.key`,
    '--peer-client-cert-auth=true',
    `--peer-trusted-ca-file=${pki}/ca.crt`,
    `--peer-cert-file=${pki}/peer.crt`,
    `--peer-key-file=${pki}/peer.key`,
  ];
}

async function writeCertificates(
  { dir, run: kube }: ProgramSet,
  version: string,
  endpoint: string,
): Promise<void> {
  await mkdir(join(dir, 'pki'));
  await writeFile(
    join(dir, 'kubeadm.yaml'),
    [
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: InitConfiguration',
      `localAPIEndpoint: { advertiseAddress: ${ADVERTISED} }`,
      'nodeRegistration: { name: node-1, criSocket: unix:///run/none.sock }',
      '---',
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: ClusterConfiguration',
      `kubernetesVersion: v${version}`,
      `certificatesDir: ${join(dir, 'pki')}`,
      `controlPlaneEndpoint: ${endpoint}`,
      'encryptionAlgorithm: ECDSA-P256',
      'apiServer: { certSANs: [127.0.0.1, localhost] }',
      '',
    ].join('\n'),
  );
  const config = `--config=${join(dir, 'kubeadm.yaml')}`;
  await kube('kubeadm', 'init', 'phase', 'certs', 'all', config);
  for (const who of ['super-admin', 'admin', 'controller-manager'])
    await kube('kubeadm', 'init', 'phase', 'kubeconfig', who, config, `--kubeconfig-dir=${dir}`);
  // kubeadm leads controllers to the advertised address.
  const path = join(dir, 'controller-manager.conf');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/server: .*/, `server: https://${endpoint}`));
}

function apiServerArgs(pki: string, port: number, etcdPort: number): string[] {
  const file = (name: string) => join(pki, name);
  return [
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--advertise-address=${ADVERTISED}`,
    `--etcd-servers=https://127.0.0.1:${etcdPort}`,
    `--etcd-cafile=${file('etcd/ca.crt')}`,
    `--etcd-certfile=${file('apiserver-etcd-client.crt')}`,
    `--etcd-keyfile=${file('apiserver-etcd-client.key')}`,
    // As kubeadm sets it: kube-proxy writes settings of the kernel.
    '--allow-privileged=true',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--enable-bootstrap-token-auth=true',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
  ];
}

async function auditArgs(dir: string): Promise<string[]> {
  const policy = join(dir, 'audit-policy.json');
  const rules = [{ level: 'Metadata', omitStages: ['RequestReceived', 'ResponseStarted'] }];
  await writeFile(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }));
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${join(dir, 'audit.log')}`];
}

function controllerArgs(dir: string, pki: string, port: number): string[] {
  const kubeconfig = join(dir, 'controller-manager.conf');
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--leader-elect=false',
    '--controllers=*,bootstrap-signer-controller,token-cleaner-controller',
    `--root-ca-file=${pki}/ca.crt`,
    `--cluster-signing-cert-file=${pki}/ca.crt`,
    `--cluster-signing-key-file=${pki}/ca.key`,
    `--service-account-private-key-file=${pki}/sa.key`,
    '--use-service-account-credentials=true',
  ];
}

function statusOf(port: number, path: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, ca }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
