import type { CodeTable } from './types.ts';

export const fleetCodes = {
  'fleet/not-leading': {
    meaning: 'A process of the fleet operator did not write, since another may lead.',
    cause: 'It lost the lease: the API server was away, or the process stood still for some seconds.',
    fix: 'Nothing: it ends and is started again; the other one goes on.',
  },
  'fleet/node-unknown': {
    meaning: 'Nobody can tell who answers for a node, so it is not asked.',
    cause:
      'It is no member of the cluster that a control plane has published (kube-system/plinth-peers), or it is no node of Plinth.',
    fix: 'Leave it out with the selector of the policy, or let it join as a member.',
  },
  'fleet/bundle-failed': {
    meaning: 'The fleet operator cannot be put together.',
    cause: 'Its sources or the modules that it needs are not whole.',
    fix: 'Install the modules of the repository anew with "npm ci", then try again.',
  },
  'fleet/no-kubernetes-layer': {
    meaning: 'The node has no layer of the Kubernetes that the release brings.',
    cause: 'Layers of Kubernetes are brought to nodes by hand or on a disk; the operator only switches them.',
    fix: 'Run "plinth kubernetes stage FILE" for the nodes; the rollout goes on when they have it.',
  },
  'fleet/config-documents': {
    meaning: 'The machine config of the release cannot be brought to the node.',
    cause:
      'The ConfigMap it names is not there, cannot be read by the operator, or holds another text than its digest says; or the node refuses it.',
    fix: 'Make the ConfigMap in the namespace of the operator, immutable, and name its SHA-256 in the release.',
  },
  'fleet/gate-template': {
    meaning: 'The Job of a health gate cannot be made, so the gate holds back.',
    cause: 'The ConfigMap that the gate names has no key "job.yaml", or what is there is not a Job.',
    fix: 'Put a manifest of a Job there, in the namespace of the operator with "-gates" after it.',
  },
  'fleet/not-installed': {
    meaning: 'The cluster does not have the kinds of the fleet operator.',
    cause: 'The operator was never installed, or the kubeconfig leads to another cluster.',
    fix: 'Run "plinth fleet install", or name the cluster with --kube-context.',
  },
  'fleet/unknown-rollout': {
    meaning: 'There is no rollout of this name, and no policy of this name has one that is under way.',
    cause: 'A spelling mistake, or the rollout was deleted.',
    fix: 'Look at "plinth rollout status".',
    exitCode: 2,
  },
  'fleet/unknown-policy': {
    meaning: 'There is no UpdatePolicy of this name.',
    cause: 'A spelling mistake, or the policy was deleted.',
    fix: 'Look at "plinth fleet status".',
    exitCode: 2,
  },
  'fleet/rollout-over': {
    meaning: 'The rollout has ended, so nothing of it can be changed.',
    cause: 'It is complete, was stopped, or a newer release took its place.',
    fix: 'Set another release in the policy; a new rollout begins.',
  },
  'fleet/in-flight': {
    meaning: 'Nodes are being updated, and would stay half done.',
    cause: 'The operator was to be removed in the middle of a rollout.',
    fix: 'Run "plinth rollout pause NAME", wait until no node is in flight, and try again.',
  },
} as const satisfies CodeTable;
