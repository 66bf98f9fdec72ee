import { posix } from 'node:path';
import { textAt } from '../model/json.ts';
import type { KubeObject } from '../model/kube-object.ts';
import { mountsIn, viewPod, volumesOf } from '../model/pod-view.ts';
import type { Read } from '../read/read-sources.ts';
import { controllerOf, ownerOf } from '../report/collect-findings.ts';
import { type Owner, ownerText } from '../report/finding.ts';
import { realPath } from '../rules/host-paths.ts';
import { isWithin } from '../target/target.ts';
import type { ContainerPlace } from './refusal.ts';

/** Bound on pods and workloads that are remembered. */
const MOST = 100_000;

interface Workload {
  readonly owner: Owner;
  /** Mounts by container; null: a volume that is no folder of the host. */
  readonly mounts: ReadonlyMap<string, readonly { readonly at: string; readonly host: string | null }[]>;
}

/** What of the checked objects stands behind containers on nodes. */
export interface WorkloadMap {
  /**
   * The workload of a pod: as the cluster says it, else the only one whose pods have such names and containers.
   * Undefined when there is none or more than one.
   */
  ownerOf(place: ContainerPlace, node: string): Owner | undefined;
  /** The host's path for one in a container; undefined when it is the container's own, or not known to be the host's. */
  hostPathOf(owner: Owner, container: string, path: string): string | undefined;
}

/** watchWorkloads passes reads on and remembers what is needed to tell whose a container on a node is. */
export function watchWorkloads(reads: AsyncIterable<Read> | Iterable<Read>): {
  readonly reads: AsyncIterable<Read>;
  readonly workloads: () => WorkloadMap;
} {
  const pods = new Map<string, Owner>();
  const controllers = new Map<string, Owner>();
  const found = new Map<string, Workload>();
  const note = (object: KubeObject) => {
    const controller = controllerOf(object);
    if (controller && object.kind !== 'Pod' && controllers.size < MOST)
      controllers.set(ownerText(object), controller);
    const pod = viewPod(object);
    if (pod === undefined) return;
    const owner = ownerOf(object, pod);
    if (object.kind === 'Pod' && pods.size < MOST) pods.set(`${object.namespace}/${object.name}`, owner);
    const key = ownerText(owner);
    if (found.has(key) || found.size >= MOST) return;
    const volumes = new Map(volumesOf(pod).map((volume) => [volume.name, volume.value]));
    const mounts = pod.containers.map((container) => {
      const all = mountsIn(container).map(({ volume, mountPath, subPath }) => {
        const host = textAt(volumes.get(volume), 'hostPath', 'path');
        return {
          at: posix.normalize(mountPath).replace(/(?<=.)\/$/, ''),
          host: host?.startsWith('/') ? posix.join(host, subPath) : null,
        };
      });
      return [container.name, all] as const;
    });
    found.set(key, { owner, mounts: new Map(mounts) });
  };
  async function* pass() {
    for await (const read of reads) {
      if (read.kind === 'object') note(read.object);
      yield read;
    }
  }
  return {
    reads: pass(),
    workloads: () => mapOf([...found.values()], pods, (owner) => controllers.get(ownerText(owner)) ?? owner),
  };
}

function mapOf(
  found: readonly Workload[],
  pods: ReadonlyMap<string, Owner>,
  outermost: (owner: Owner) => Owner,
): WorkloadMap {
  const byOwner = Map.groupBy(found, ({ owner }) => ownerText(outermost(owner)));
  // One node asks for the same few pods again and again.
  const answers = new Map<string, Owner | undefined>();
  const search = (place: ContainerPlace, node: string): Owner | undefined => {
    const fitting = found.filter((each) => fits(each, place, node));
    const [only] = fitting;
    return only && fitting.length === 1 ? outermost(only.owner) : undefined;
  };
  return {
    ownerOf(place, node) {
      const said = pods.get(`${place.namespace}/${place.pod}`);
      if (said) return outermost(said);
      const key = [node, place.namespace, place.pod, place.container].join('\n');
      if (!answers.has(key)) answers.set(key, search(place, node));
      return answers.get(key);
    },
    hostPathOf(owner, container, path) {
      const own = byOwner.get(ownerText(owner)) ?? [];
      const paths = new Set(own.map(({ mounts }) => throughMounts(mounts.get(container) ?? [], path)));
      const [only] = paths;
      return paths.size === 1 ? only : undefined;
    },
  };
}

function throughMounts(
  mounts: readonly { readonly at: string; readonly host: string | null }[],
  path: string,
): string | undefined {
  let best: (typeof mounts)[number] | undefined;
  for (const mount of mounts)
    if (isWithin(path, mount.at) && (best === undefined || mount.at.length > best.at.length)) best = mount;
  if (best === undefined || best.host === null) return undefined;
  return realPath(posix.join(best.host, posix.relative(best.at, path)));
}

/** How controllers name their pods, after their own name. */
const ENDINGS: Readonly<Record<string, RegExp>> = {
  CronJob: /^-\d+-[a-z0-9]{5}$/,
  DaemonSet: /^-[a-z0-9]{5}$/,
  Deployment: /^-[a-z0-9]{1,10}-[a-z0-9]{5}$/,
  Job: /^-[a-z0-9]{5}$/,
  ReplicaSet: /^-[a-z0-9]{5}$/,
  ReplicationController: /^-[a-z0-9]{5}$/,
  StatefulSet: /^-\d+$/,
};

function fits(
  { owner, mounts }: Workload,
  { namespace, pod, container }: ContainerPlace,
  node: string,
): boolean {
  // A manifest without a namespace says nothing of where it was applied.
  if (owner.namespace !== '' && owner.namespace !== namespace) return false;
  if (owner.name === '' || !pod.startsWith(owner.name)) return false;
  if (container !== '' && !mounts.has(container)) return false;
  const rest = pod.slice(owner.name.length);
  // A kubelet adds its node's name to pods of its own files.
  if (owner.kind === 'Pod') return rest === '' || rest === `-${node}`;
  return ENDINGS[owner.kind]?.test(rest) ?? false;
}
