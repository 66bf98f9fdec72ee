import { listAt, mapAt, textAt } from '../model/json.ts';
import type { KubeObject } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { isWithin, pathFactOf } from '../target/target.ts';
import { hostPathsOf } from './host-paths.ts';
import type { Knowledge, RawFinding } from './rule.ts';

/** Provisioners whose volumes lie on a disk of one node. */
const LOCAL = new Map([
  ['kubernetes.io/no-provisioner', 'local volumes'],
  ['rancher.io/local-path', 'local-path-provisioner'],
  ['microk8s.io/hostpath', 'the host path provisioner of MicroK8s'],
  ['k8s.io/minikube-hostpath', 'the host path provisioner of minikube'],
  ['docker.io/hostpath', 'the host path provisioner of Docker Desktop'],
  ['hostpath.csi.k8s.io', 'the host path driver'],
  ['openebs.io/local', 'OpenEBS local volumes'],
  ['local.csi.openebs.io', 'OpenEBS LVM'],
  ['zfs.csi.openebs.io', 'OpenEBS ZFS'],
  ['topolvm.io', 'TopoLVM'],
  ['topolvm.cybozu.com', 'TopoLVM'],
  ['containerdisk.csi.azure.com', 'ephemeral disks of Azure'],
  ['localdisk.csi.acstor.io', 'local disks of Azure Container Storage'],
]);

/** checkLocalVolumes finds volumes and classes whose data lies on one node and does not move with the pod. */
export function checkLocalVolumes(object: KubeObject): RawFinding[] {
  const { value, kind } = object;
  if (kind === 'StorageClass') {
    const provisioner = textAt(value, 'provisioner') ?? '';
    const what = LOCAL.get(provisioner);
    if (what === undefined) return [];
    return [
      {
        rule: 'PLM072',
        severity: 'warn',
        message: `makes volumes on a disk of one node (${what}); they are lost with the node or its disk`,
        subject: provisioner,
        path: ['provisioner'],
      },
    ];
  }
  if (kind !== 'PersistentVolume') return [];
  return ['local', 'hostPath'].flatMap((field): RawFinding[] => {
    const path = textAt(value, 'spec', field, 'path');
    if (path === undefined) return [];
    return [
      {
        rule: 'PLM072',
        severity: 'block',
        message: `keeps its data in ${path} of one node; a node that is replaced or installed anew has not got it`,
        subject: path,
        path: ['spec', field, 'path'],
      },
    ];
  });
}

/** Folders of the node that many look into, and nobody keeps data of a workload in. */
const SHARED = [
  '/var/log',
  '/var/lib/kubelet',
  '/var/lib/containerd',
  '/var/lib/docker',
  '/var/lib/cni',
  '/var/lib/etcd',
  '/var/lib/containers',
];

/** checkLocalData finds workloads that keep data in folders of the host, and stateful ones that keep it nowhere. */
export function checkLocalData(pod: PodView, { target }: Knowledge): RawFinding[] {
  if (pod.isDaemon) return [];
  const isSystem = textAt(pod.spec, 'priorityClassName') === 'system-node-critical';
  const inHost = hostPathsOf(pod).flatMap((host): RawFinding[] => {
    const fact = pathFactOf(target, host.path);
    const isData =
      fact?.state === 'persistent' && host.writable && host.type !== 'Socket' && !/\.sock$/.test(host.path);
    if (!isData || isSystem || SHARED.some((each) => isWithin(host.path, each))) return [];
    const [mount] = host.mounts;
    return [
      {
        rule: 'PLM072',
        message: `keeps data in ${host.asWritten} of whatever node it runs on; it does not move with the pod`,
        subject: host.asWritten,
        path: [...host.volume.path, 'hostPath', 'path'],
        ...(mount && { container: mount.container.name }),
        fact: fact.source,
      },
    ];
  });
  return [...inHost, ...withoutClaims(pod)];
}

/** A StatefulSet whose data lies in an emptyDir loses it each time a node is drained. */
function withoutClaims(pod: PodView): RawFinding[] {
  const { object, spec, specPath } = pod;
  if (object.kind !== 'StatefulSet' || listAt(object.value, 'spec', 'volumeClaimTemplates').length > 0)
    return [];
  return listAt(spec, 'volumes').flatMap((volume, index): RawFinding[] => {
    const name = textAt(volume, 'name') ?? '';
    const isEmpty =
      Object.hasOwn(mapAt(volume), 'emptyDir') && textAt(volume, 'emptyDir', 'medium') !== 'Memory';
    if (!isEmpty || !/^(?:data|datadir|storage|db|database)(?:-|$)|-(?:data|storage)$/.test(name)) return [];
    return [
      {
        rule: 'PLM072',
        message: `keeps its data in the emptyDir "${name}", which is gone when the pod leaves its node`,
        subject: name,
        path: [...specPath, 'volumes', index, 'emptyDir'],
      },
    ];
  });
}

/** checkBarePods finds pods that no controller starts again on another node. */
export function checkBarePods({ object, metadata }: PodView): RawFinding[] {
  if (object.kind !== 'Pod' || listAt(object.value, 'metadata', 'ownerReferences').length > 0) return [];
  const annotations = Object.keys(mapAt(metadata, 'annotations'));
  const isElse = annotations.some((key) => key === 'kubernetes.io/config.mirror' || key === 'helm.sh/hook');
  // A finished pod is not moved. Static pods in a file look the same as bare ones; those of kubeadm say what they are.
  const isOver = ['Succeeded', 'Failed'].includes(textAt(object.value, 'status', 'phase') ?? '');
  const isStatic = textAt(metadata, 'labels', 'tier') === 'control-plane';
  if (isElse || isOver || isStatic) return [];
  return [
    {
      rule: 'PLM073',
      message: 'has no controller: a drain deletes it, and nothing starts it again',
      subject: 'ownerReferences',
      path: ['metadata', 'name'],
    },
  ];
}
