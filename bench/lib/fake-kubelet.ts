import { createHash, createHmac, timingSafeEqual, X509Certificate } from 'node:crypto';
import { SIGNERS } from '@plinth/agent/testing';
import { nodeCertificateRequest, type ServingNames } from './certificate-request.ts';
import { type KubeConnection, openKubeConnection } from './kube-connection.ts';

/** When a node reached each step of its join, in milliseconds of performance.now(). */
export interface JoinTimes {
  readonly started: number;
  /** The cluster's authority is known and proven by token and hash. */
  readonly discovered: number;
  /** The settings of kubeadm and kubelet are read. */
  readonly settled: number;
  readonly asked: number;
  readonly approved: number;
  /** The node has its client certificate. */
  readonly signed: number;
  /** The Node exists. */
  readonly registered: number;
  /** The controllers gave it its pod network, without which a runtime has no network to be ready with. */
  readonly networked: number;
  /** The API server has the status Ready and the lease. */
  readonly ready: number;
  /** The kubelet's serving certificate is there too: logs and exec work. */
  readonly serving: number;
}

/** A node that is about to join, with its invitation. */
export interface JoiningNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly token: string;
  /** "sha256:…" of the authority's key. */
  readonly caKeyHash: string;
}

/** A joined node; disposing closes its connections. */
export interface JoinedNode extends Disposable {
  readonly times: JoinTimes;
  /** Says that the node is alive, as a kubelet does every 10 s. */
  renewLease(): Promise<void>;
}

const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const KUBE_SYSTEM = '/api/v1/namespaces/kube-system/configmaps';
const CLUSTER_INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

/**
 * joinNode goes the way of kubeadm join and the kubelet: discovery by token and hash, settings, a client certificate
 * asked for with the token, the Node with that certificate, its status, its lease and its serving certificate.
 */
export async function joinNode(node: JoiningNode): Promise<JoinedNode> {
  const started = performance.now();
  const caPem = await discover(node);
  const discovered = performance.now();
  using invited = openKubeConnection({ port: node.port, caPem, token: node.token });
  await invited.call('GET', `${KUBE_SYSTEM}/kubeadm-config`);
  await invited.call('GET', `${KUBE_SYSTEM}/kubelet-config`);
  const settled = performance.now();
  const client = await obtainCertificate(invited, node.name);
  const { certificatePem, keyPem } = client;
  const connection = openKubeConnection({ port: node.port, caPem, certificatePem, keyPem });
  try {
    const member = await becomeReady(connection, node);
    const lease = await createLease(connection, node.name, member.uid);
    const ready = performance.now();
    await member.serving;
    const { asked, approved, signed } = client;
    const { registered, networked } = member;
    return {
      times: {
        ...{ started, discovered, settled, asked, approved, signed },
        ...{ registered, networked, ready, serving: performance.now() },
      },
      renewLease: lease.renew,
      [Symbol.dispose]: () => connection[Symbol.dispose](),
    };
  } catch (reason) {
    connection[Symbol.dispose]();
    throw reason;
  }
}

/** kubeadm's discovery: believed for its signature by the token, then asked again over TLS by the authority it names. */
async function discover({ port, token, caKeyHash }: JoiningNode): Promise<string> {
  using anyone = openKubeConnection({ port });
  const [id = '', secret = ''] = token.split('.');
  const info = (await anyone.call('GET', CLUSTER_INFO)) as {
    readonly data: Readonly<Record<string, string>>;
  };
  const kubeconfig = info.data['kubeconfig'] ?? '';
  const [header, , signature = ''] = (info.data[`jws-kubeconfig-${id}`] ?? '').split('.');
  const payload = Buffer.from(kubeconfig).toString('base64url');
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Error('cluster-info is not signed by the token');
  const encoded = /certificate-authority-data: (\S+)/.exec(kubeconfig)?.[1] ?? '';
  const caPem = Buffer.from(encoded, 'base64').toString('latin1');
  const spki = new X509Certificate(caPem).publicKey.export({ type: 'spki', format: 'der' });
  if (`sha256:${createHash('sha256').update(spki).digest('hex')}` !== caKeyHash)
    throw new Error('cluster-info names another authority');
  using proven = openKubeConnection({ port, caPem });
  await proven.call('GET', CLUSTER_INFO);
  return caPem;
}

/** Asks for a certificate and waits for it as the kubelet does: list and watch of this one request. */
async function obtainCertificate(connection: KubeConnection, nodeName: string, names?: ServingNames) {
  const { keyPem, requestPem } = await nodeCertificateRequest(nodeName, names);
  const created = (await connection.call('POST', REQUESTS, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: 'csr-' },
    spec: {
      request: Buffer.from(requestPem).toString('base64'),
      signerName: names ? SIGNERS.serving : SIGNERS.client,
      usages: ['digital signature', names ? 'server auth' : 'client auth'],
    },
  })) as { readonly metadata: { readonly name: string } };
  const asked = performance.now();
  let approved: number | undefined;
  const encoded = await connection.watch(
    `${REQUESTS}?fieldSelector=metadata.name%3D${created.metadata.name}`,
    (object) => {
      const { status = {} } = object as {
        readonly status?: {
          readonly conditions?: readonly { readonly type: string; readonly message?: string }[];
          readonly certificate?: string;
        };
      };
      const [condition] = status.conditions ?? [];
      if (condition && condition.type !== 'Approved') throw new Error(`not approved: ${condition.message}`);
      if (condition) approved ??= performance.now();
      return status.certificate;
    },
  );
  const signed = performance.now();
  const certificatePem = Buffer.from(encoded, 'base64').toString('latin1');
  return { keyPem, certificatePem, asked, approved: approved ?? signed, signed };
}

async function becomeReady(connection: KubeConnection, { name, address }: JoiningNode) {
  const created = (await connection.call('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    // As plinthd has the kubelet register: no workloads before the self-test.
    spec: { taints: [{ key: 'plinth.dev/untested', effect: 'NoSchedule' }] },
    status: nodeStatus(name, address, false),
  })) as { readonly metadata: { readonly uid: string } };
  const registered = performance.now();
  const { uid } = created.metadata;
  const serving = obtainCertificate(connection, name, { dnsName: name, address });
  // It may fail while the node still waits for its network; the caller hears of it when it awaits.
  serving.catch(() => {});
  await connection.call('POST', '/apis/storage.k8s.io/v1/csinodes', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
    spec: { drivers: [] },
  });
  await connection.watch(
    `/api/v1/nodes?fieldSelector=metadata.name%3D${name}`,
    (object) => (object as { readonly spec: { readonly podCIDR?: string } }).spec.podCIDR,
  );
  const networked = performance.now();
  await connection.call(
    'PATCH',
    `/api/v1/nodes/${name}/status`,
    { status: nodeStatus(name, address, true) },
    'application/strategic-merge-patch+json',
  );
  return { uid, registered, networked, serving };
}

async function createLease(connection: KubeConnection, name: string, uid: string) {
  const spec = () => ({
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: new Date().toISOString().replace('Z', '000Z'),
  });
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
  const put = (method: string, path: string, metadata: object) =>
    connection.call(method, path, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease', ...metadata },
      spec: spec(),
    }) as Promise<{ readonly metadata: object }>;
  let { metadata } = await put('POST', LEASES, { ownerReferences });
  return {
    async renew() {
      ({ metadata } = await put('PUT', `${LEASES}/${name}`, metadata));
    },
  };
}

/** What a kubelet says of a small machine. */
function nodeStatus(name: string, address: string, ready: boolean): object {
  const now = new Date().toISOString();
  const condition = (type: string, status: boolean, reason: string) => ({
    ...{ type, status: status ? 'True' : 'False', reason, message: reason },
    ...{ lastHeartbeatTime: now, lastTransitionTime: now },
  });
  const resources = { cpu: '2', memory: '2Gi', pods: '110', 'ephemeral-storage': '20Gi' };
  return {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    conditions: [
      condition('MemoryPressure', false, 'KubeletHasSufficientMemory'),
      condition('DiskPressure', false, 'KubeletHasNoDiskPressure'),
      condition('PIDPressure', false, 'KubeletHasSufficientPID'),
      condition('Ready', ready, ready ? 'KubeletReady' : 'KubeletNotReady'),
    ],
    nodeInfo: {
      ...{ machineID: name, systemUUID: name, bootID: name, kernelVersion: '6.12.0' },
      ...{ osImage: 'Plinth', containerRuntimeVersion: 'containerd://2.3.0', kubeletVersion: 'v1.37.0' },
      ...{ kubeProxyVersion: '', operatingSystem: 'linux', architecture: 'amd64' },
    },
  };
}
