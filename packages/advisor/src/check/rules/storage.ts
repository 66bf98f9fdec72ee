import { type Json, listAt, mapAt, textAt } from '../model/json.ts';
import type { KubeObject } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { isWithin, pathFactOf, type Target } from '../target/target.ts';
import { agentOf } from './agents.ts';
import { whyLabelRefuses } from './host-labels.ts';
import { hostPathsOf, judgeDataFolder, realPath } from './host-paths.ts';
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
export function checkLocalVolumes(object: KubeObject, { target }: Knowledge): RawFinding[] {
  const { value, kind } = object;
  if (kind === 'ConfigMap') return foldersOfVolumes(object, target);
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
      ...(field === 'hostPath' ? unwritable(path, target) : []),
    ];
  });
}

/** Volumes of kind "local" get the label of the pod; those of kind "hostPath" keep that of the host. */
function unwritable(folder: string, target: Target): RawFinding[] {
  const refused = whyLabelRefuses(realPath(folder), target);
  if (refused === undefined) return [];
  const { rule, why, fact } = refused;
  return [
    {
      ...{ rule, subject: folder, path: ['spec', 'hostPath', 'path'], fact },
      message: `is a volume in ${folder} of a node, which ${why}`,
    },
  ];
}

/** A bound on what is parsed; the settings of a provisioner are a few lines. */
const SETTINGS_CHARS = 64 * 1024;

/** The settings of local-path-provisioner name the folders of the nodes in which it makes volumes. */
function foldersOfVolumes({ value }: KubeObject, target: Target): RawFinding[] {
  const text = textAt(value, 'data', 'config.json') ?? '';
  if (!text.includes('nodePathMap') || text.length > SETTINGS_CHARS) return [];
  let settings: Json;
  try {
    settings = JSON.parse(text);
  } catch {
    return [];
  }
  const folders = listAt(settings, 'nodePathMap').flatMap((node) => listAt(node, 'paths').map(String));
  return [...new Set(folders)].flatMap((folder): RawFinding[] => {
    const path = realPath(folder);
    const judged = judgeDataFolder(path, target) ?? whyLabelRefuses(path, target);
    if (judged === undefined) return [];
    return [
      {
        rule: judged.rule,
        message: `makes volumes in ${folder} of the nodes, which ${judged.why}`,
        subject: folder,
        path: ['data', 'config.json'],
        fact: judged.fact,
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
export function checkLocalData(pod: PodView, { target, agents }: Knowledge): RawFinding[] {
  if (pod.isDaemon) return dataOfDrivers(pod, agents);
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

/** Daemons keep what belongs to their node, but for storage drivers, which keep data of workloads there. */
function dataOfDrivers(pod: PodView, agents: Knowledge['agents']): RawFinding[] {
  const kept = pod.containers.flatMap(({ image }) => {
    const agent = agentOf(image, agents);
    return agent === undefined ? [] : agent.keeps.map((folder) => ({ folder, agent }));
  });
  return hostPathsOf(pod).flatMap(({ path, asWritten, volume, writable, mounts }): RawFinding[] => {
    const keeper = kept.find(({ folder }) => isWithin(path, folder));
    const [mount] = mounts;
    if (keeper === undefined || !writable) return [];
    return [
      {
        rule: 'PLM072',
        message: `keeps volumes of workloads in ${asWritten} of each node (${keeper.agent.name}); a node that is replaced or installed anew has not got them`,
        subject: asWritten,
        path: [...volume.path, 'hostPath', 'path'],
        ...(mount && { container: mount.container.name }),
      },
    ];
  });
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
