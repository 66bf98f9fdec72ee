import { PlinthError } from '@plinth/base';
import { type ClusterAccess, type KubeConnection, listPages, openKubeConnection } from '@plinth/kube';
import { isMap, type Json, type JsonMap } from '../model/json.ts';
import { toKubeObject } from '../model/kube-object.ts';
import type { Read } from '../read/read-sources.ts';

/** One kind that is listed, in the order in which it is. */
interface Listed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  /** Not every account may see it, and the check goes on without. */
  readonly note?: string;
}

/**
 * What a check lists: what pods come from first, so that findings stand in what a person wrote. No Secrets. The same list
 * is in data/check/rbac.yaml; a test holds them together.
 */
export const LISTED: readonly Listed[] = [
  { apiVersion: 'v1', kind: 'Node', resource: 'nodes' },
  { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets' },
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' },
  { apiVersion: 'v1', kind: 'ReplicationController', resource: 'replicationcontrollers' },
  { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' },
  { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' },
  { apiVersion: 'v1', kind: 'Pod', resource: 'pods' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', resource: 'poddisruptionbudgets' },
  { apiVersion: 'v1', kind: 'PersistentVolume', resource: 'persistentvolumes' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', resource: 'storageclasses' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', resource: 'csidrivers' },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    resource: 'configmaps',
    note: 'scripts in ConfigMaps were not checked',
  },
];

/** Objects of one answer. Small pages keep the memory of both sides small. */
const PAGE = 100;

/**
 * listCluster lists what a check looks at, page by page; an object is let go before the next page comes. A kind that the
 * account may not see is a problem, and the next kind follows.
 * @throws kube/unreachable, kube/bad-answer, kube/unauthorized when the API server does not answer, or not as one
 */
export async function* listCluster(access: ClusterAccess, signal: AbortSignal): AsyncGenerator<Read> {
  using connection = openKubeConnection(access, { maxSockets: 1 });
  if (access.isUnchecked)
    yield { kind: 'note', note: 'the kubeconfig says not to check the certificate of the API server' };
  for (const listed of LISTED) yield* listKind(listed, connection, signal);
}

async function* listKind(
  listed: Listed,
  connection: KubeConnection,
  signal: AbortSignal,
): AsyncGenerator<Read> {
  const group = listed.apiVersion.includes('/') ? `apis/${listed.apiVersion}` : `api/${listed.apiVersion}`;
  const path = `/${group}/${listed.resource}`;
  const options = { pageSize: PAGE, whenExpired: 'go-on' } as const;
  try {
    for await (const { items } of listPages(connection, path, options, signal))
      for (const item of items) yield* itemOf(item as Json, listed);
  } catch (reason) {
    const why = whyRefused(reason);
    if (why === undefined) throw reason;
    yield refused(listed, why);
  }
}

/** Why one kind is not listed; undefined when the cause is not that kind. */
function whyRefused(reason: unknown): string | undefined {
  if (!(reason instanceof PlinthError) || reason.code === 'kube/unauthorized') return undefined;
  const { status } = reason.details;
  if (status === 403) return 'this account may not list them';
  if (status === 410) return 'the list changed too much while it was read';
  return status === undefined ? undefined : `status ${status}`;
}

/** Items of a list do not say what they are. */
function* itemOf(item: Json, { apiVersion, kind }: Listed): Generator<Read> {
  if (!isMap(item)) return;
  const whole: JsonMap = { ...item, apiVersion, kind };
  const object = toKubeObject(whole, () => undefined);
  if (object) yield { kind: 'object', object };
}

function refused({ resource, note }: Listed, why: string): Read {
  return {
    kind: 'problem',
    problem: {
      code: 'check/list-refused',
      severity: 'error',
      message: `Cannot list ${resource}: ${why}${note === undefined ? '' : `; ${note}`}`,
    },
  };
}
