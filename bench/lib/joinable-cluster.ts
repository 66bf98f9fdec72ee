import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type KubeClient, nodeSys, openKubeClient, readAdminCredentials } from '@plinth/agent/testing';
import {
  type ControlPlane,
  endProcess,
  findKubernetesPrograms,
  startControlPlane,
} from '@plinth/image/testing';
import { REPOSITORY_OS_DIR } from './build-plinth.ts';
import { interrupted } from './interrupted.ts';
import { processorMs } from './processor-time.ts';

/** A control plane on loopback, as kubeadm and plinthd leave it, to which nodes can be invited. */
export interface JoinableCluster extends AsyncDisposable {
  readonly version: string;
  readonly apiPort: number;
  readonly caKeyHash: string;
  readonly client: KubeClient;
  /** Processor time so far of each part, plinthd's approver among them. */
  processorTimes(): Promise<ReadonlyMap<string, number>>;
}

export interface JoinableClusterOptions {
  /** Calls per second the controller manager may make of each kind; undefined for upstream's 20. */
  readonly controllerQps: number | undefined;
}

const APPROVER = fileURLToPath(new URL('approver-process.ts', import.meta.url));
const MANIFEST = 'kubernetes/tree/usr/share/plinth/kubernetes/manifests/access.yaml';
/** Room for 4096 nodes; the default of a cluster, a /16, has room for 256. */
const POD_NETWORK = '10.128.0.0/12';

/** startJoinableCluster starts the newest compiled Kubernetes of this machine. */
export async function startJoinableCluster(options: JoinableClusterOptions): Promise<JoinableCluster> {
  const kubernetes = (await findKubernetesPrograms()).findLast(({ skip }) => skip === false);
  if (!kubernetes) throw new Error('Kubernetes is not compiled on this machine ("plinth kubernetes build")');
  const plane = await startControlPlane(kubernetes, { controllers: controllerArgs(options) });
  let approver: ChildProcess | undefined;
  try {
    await settle(plane);
    const credentials = await readAdminCredentials(nodeSys(), plane.at('admin.conf'));
    const endpoint = { ...credentials, host: '127.0.0.1', port: plane.apiPort };
    const client = openKubeClient({ endpoint: async () => endpoint, signal: interrupted });
    approver = spawn(process.execPath, [APPROVER, plane.at('admin.conf'), String(plane.apiPort)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const running = approver;
    const { publicKey } = new X509Certificate(plane.caPem);
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    return {
      version: kubernetes.version,
      apiPort: plane.apiPort,
      caKeyHash: `sha256:${createHash('sha256').update(spki).digest('hex')}`,
      client,
      processorTimes: () => processorTimes(plane.dir, running),
      async [Symbol.asyncDispose]() {
        client.close();
        await endProcess(running);
        await plane[Symbol.asyncDispose]();
      },
    };
  } catch (reason) {
    if (approver) await endProcess(approver);
    await plane[Symbol.asyncDispose]();
    throw reason;
  }
}

/** As kubeadm sets them for a cluster with a pod network. */
function controllerArgs({ controllerQps }: JoinableClusterOptions): string[] {
  const network = ['--allocate-node-cidrs=true', `--cluster-cidr=${POD_NETWORK}`];
  return controllerQps === undefined
    ? network
    : [...network, `--kube-api-qps=${controllerQps}`, `--kube-api-burst=${controllerQps * 1.5}`];
}

/** What kubeadm init and plinthd write into a new cluster, as far as a join reads it. */
async function settle(plane: ControlPlane): Promise<void> {
  const config = [`--config=${plane.at('kubeadm.yaml')}`, `--kubeconfig=${plane.at('super-admin.conf')}`];
  await plane.run('kubeadm', 'init', 'phase', 'upload-config', 'kubeadm', ...config);
  await plane.run('kubeadm', 'init', 'phase', 'bootstrap-token', ...config);
  const binding = 'clusterrolebinding/kubeadm:cluster-admins';
  await plane.kubectl(
    'create',
    ...binding.split('/'),
    '--clusterrole=cluster-admin',
    '--group=kubeadm:cluster-admins',
  );
  const kubelet = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
  const map = ['configmap', 'kubelet-config', '-n=kube-system', `--from-literal=kubelet=${kubelet}`];
  await plane.kubectl('create', ...map);
  const manifest = join(REPOSITORY_OS_DIR, MANIFEST);
  await plane.kubectl('apply', '--server-side', '--force-conflicts', '-f', manifest);
}

async function processorTimes(dir: string, approver: ChildProcess): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const commandLine = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const program = commandLine.split('\0')[0] ?? '';
    if (program.startsWith(`${dir}/`))
      times.set(program.slice(dir.length + 1), await processorMs(Number(entry)));
  }
  if (approver.pid !== undefined) times.set("plinthd's approver", await processorMs(approver.pid));
  times.set('the fake kubelets', await processorMs(process.pid));
  return times;
}

/** signedBy waits until cluster-info is signed by a token and gives its size in bytes. */
export async function untilSigned(
  read: () => Promise<Readonly<Record<string, string>>>,
  tokenIds: readonly string[],
): Promise<number> {
  for (;;) {
    const data = await read();
    if (tokenIds.every((id) => `jws-kubeconfig-${id}` in data)) return JSON.stringify(data).length;
    await sleep(500, undefined, { signal: interrupted });
  }
}
