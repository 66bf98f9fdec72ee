import type { ClusterView } from '../health/collect-health.ts';
import type { KubernetesObserver } from '../health/kubernetes-observer.ts';
import type { NetworkProbe } from '../health/network-probe.ts';
import { makeAuthority } from './authority.ts';
import type { FakeMachine } from './fake-sys.ts';
import { soundNode } from './sound-node.ts';

const PKI = '/etc/kubernetes/pki';
/** The time of fakeSys. */
const NOW_MS = Date.UTC(2026, 10, 21);

/** fakeProbe answers as a sound node's network does, unless told otherwise. */
export function fakeProbe(answers: Partial<NetworkProbe> = {}): NetworkProbe {
  return {
    lookup: async (name) =>
      name.endsWith('.invalid')
        ? { answered: true, addresses: [], code: 'ENOTFOUND', known: true }
        : { answered: true, addresses: ['10.96.0.1'], code: '', known: true },
    connect: async () => '',
    httpGet: async () => ({ status: 200, body: 'ok' }),
    ...answers,
  };
}

/** soundCluster is a cluster of three control planes as one of them sees it. */
export function soundCluster(answers: Partial<KubernetesObserver> = {}): ClusterView {
  const member = (name: string, own: boolean) => ({
    ...{ name, own, learner: false, healthy: true, problem: '', leader: own },
    ...{ dbSizeBytes: 30e6, dbInUseBytes: 20e6, version: '3.6.8' },
  });
  return {
    member: {
      role: 'control-plane',
      version: '1.37.1',
      nodeAddress: '10.0.2.15',
      dnsAddress: '10.96.0.10',
      dnsDomain: 'cluster.local',
    },
    kubernetes: {
      node: async () => ({
        kubeletVersion: 'v1.37.1',
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'KubeletReady',
            message: 'kubelet is posting ready status',
          },
          ...['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
            ...{ type, status: 'False', reason: 'KubeletHasEnough', message: '' },
          })),
        ],
      }),
      apiServer: async () => ({ version: 'v1.37.1', ready: true }),
      peerClocks: async () => [{ server: '10.0.2.16:6443', skewMs: 400 }],
      staticPods: async () =>
        ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) => ({
          ...{ name, ready: true, restarts: 0, reason: '' },
        })),
      etcd: async () => ({
        members: [member('node-1', true), member('node-2', false), member('node-3', false)],
        alarms: [],
        quotaBytes: 2 * 1024 ** 3,
      }),
      ...answers,
    },
  };
}

/** soundMember is a healthy control plane, as a machine for fakeSys. */
export function soundMember(): FakeMachine {
  const node = soundNode();
  using issuer = makeAuthority();
  const leaf = issuer.issue({ notAfter: '20270930000000Z' }).certificatePem;
  const authority = issuer.issue({ notAfter: '20350101000000Z' }).certificatePem;
  const all = (paths: readonly string[], text: string) =>
    Object.fromEntries(paths.map((path) => [path, text]));
  const kubeconfig = JSON.stringify({
    users: [{ user: { 'client-certificate-data': Buffer.from(leaf).toString('base64') } }],
  });
  const active = 'LoadState=loaded\nActiveState=active\nSubState=running\n';
  const show = '/usr/bin/systemctl show --no-pager --property=LoadState,ActiveState,SubState';
  return {
    ...node,
    programs: {
      ...node.programs,
      [`${show} kubelet.service`]: active,
      [`${show},Result,InvocationID plinth-images.service`]:
        'LoadState=loaded\nActiveState=inactive\nSubState=dead\nResult=success\nInvocationID=0a1b\n',
    },
    modifiedAtMs: { ...node.modifiedAtMs, '/run/systemd/timesync/synchronized': NOW_MS },
    files: {
      ...node.files,
      ...all(
        ['apiserver', 'apiserver-kubelet-client', 'apiserver-etcd-client', 'front-proxy-client'].map(
          (name) => `${PKI}/${name}.crt`,
        ),
        leaf,
      ),
      ...all(
        ['server', 'peer', 'healthcheck-client'].map((name) => `${PKI}/etcd/${name}.crt`),
        leaf,
      ),
      ...all(
        ['ca', 'front-proxy-ca', 'etcd/ca'].map((name) => `${PKI}/${name}.crt`),
        authority,
      ),
      ...all(
        ['admin', 'controller-manager', 'scheduler'].map((name) => `/etc/kubernetes/${name}.conf`),
        kubeconfig,
      ),
      ...all(
        ['client', 'server'].map((name) => `/var/lib/kubelet/pki/kubelet-${name}-current.pem`),
        leaf,
      ),
      '/usr/share/plinth/kubernetes/layer.json': '{"kubernetes": "1.37.1"}\n',
      '/run/systemd/resolve/resolv.conf': '# made by systemd-resolved\nnameserver 10.0.2.3\n',
      '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
      ...all(
        ['overlay', 'bridge', 'br_netfilter', 'vxlan', 'nf_tables', 'nf_conntrack'].map(
          (name) => `/sys/module/${name}/refcnt`,
        ),
        '1\n',
      ),
      ...link('eth0', 1500, { '/device/vendor': '0x1af4\n' }),
      ...link('flannel.1', 1450),
      ...link('cni0', 1450),
      '/proc/sys/net/ipv4/ip_forward': '1\n',
      '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
      '/proc/sys/vm/overcommit_memory': '1\n',
      '/proc/sys/vm/panic_on_oom': '0\n',
      '/proc/sys/kernel/panic': '10\n',
      '/proc/sys/kernel/panic_on_oops': '1\n',
      '/proc/sys/kernel/keys/root_maxkeys': '1000000\n',
      '/proc/sys/kernel/keys/root_maxbytes': '25000000\n',
    },
  };
}

function link(
  name: string,
  mtu: number,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const files = { '/mtu': `${mtu}\n`, '/operstate': 'up\n', ...more };
  return Object.fromEntries(
    Object.entries(files).map(([file, text]) => [`/sys/class/net/${name}${file}`, text]),
  );
}
