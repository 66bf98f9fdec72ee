import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const clusterCodes = {
  'cluster/bad-spec': {
    meaning: 'A cluster was described in a way that cannot exist.',
    cause:
      'A wrong name, too many or too few machines, or a name that another cluster has; the message says which.',
    fix: 'Mend what the message names; "plinth cluster remove-node" takes a machine away.',
    exitCode: exitCodes.usage,
  },
  'cluster/not-found': {
    meaning: 'There is no cluster of that name on this computer.',
    cause: 'A spelling mistake, or the cluster was destroyed.',
    fix: 'See "plinth cluster list" for the clusters there are.',
    exitCode: exitCodes.usage,
  },
  'cluster/bad-record': {
    meaning: 'The file that describes a cluster cannot be understood.',
    cause: 'It was edited, or written by another version of Plinth.',
    fix: 'Destroy the cluster with "plinth cluster destroy" and make it anew.',
  },
  'cluster/name-taken': {
    meaning: 'A machine of that name exists and belongs to no cluster.',
    cause: 'It was started by "plinth vm start", "plinth up --no-kubernetes" or an older Plinth.',
    fix: 'Remove it with "plinth vm stop NAME --destroy", or give the cluster another name.',
  },
  'cluster/act-failed': {
    meaning: 'A node could not do what it was asked for.',
    cause: 'The step that failed and its reason are in the message.',
    fix: 'Read the reason; running the command again goes on where it stopped.',
  },
  'cluster/act-timeout': {
    meaning: 'A node did not get done in time with what it was asked for.',
    cause: 'A slow computer or a node that waits for another one; it goes on by itself.',
    fix: 'See "plinth get kubernetes"; running the command again waits on.',
    exitCode: exitCodes.timedOut,
  },
  'cluster/not-ready': {
    meaning: 'Nodes of the cluster are not ready in time.',
    cause: 'Their network, runtime or first workloads do not come up; the message names the nodes.',
    fix: 'See "plinth health"; running the command again waits on.',
    exitCode: exitCodes.timedOut,
  },
  'cluster/stuck': {
    meaning: 'A cluster is in a state that no next step leads out of.',
    cause: 'Control planes were lost, or a node is newer than this client; the message says which.',
    fix: 'Restore a snapshot with "plinth etcd restore", or destroy the cluster and make it anew.',
  },
  'cluster/skew': {
    meaning: 'An upgrade would leave versions in the cluster that may not run together.',
    cause:
      'Kubernetes goes up by one minor version at a time and never down, and kubelets are never newer than the API server.',
    fix: 'Upgrade to each minor version in between.',
    exitCode: exitCodes.usage,
  },
  'cluster/no-layer': {
    meaning: 'There is no Kubernetes layer of the wanted version.',
    cause: 'The version is not one of os/kubernetes/layer.yaml, or it was not built.',
    fix: 'See "plinth get kubernetes" for the layers of a node, and "plinth kubernetes build" to make one.',
    exitCode: exitCodes.usage,
  },
  'cluster/unreachable': {
    meaning: 'The API server of the cluster does not answer as it should.',
    cause: 'No control plane runs, or the cluster is paused.',
    fix: 'See "plinth cluster show"; bring the machines up with "plinth up".',
  },
  'cluster/bad-kubeconfig': {
    meaning: 'A kubeconfig file cannot be used.',
    cause: 'It is not YAML, has another shape, or entries of the same name that Plinth did not write.',
    fix: 'Mend or move the file, or write to another one with -o FILE.',
  },
} as const satisfies CodeTable;
