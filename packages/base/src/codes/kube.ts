import type { CodeTable } from './types.ts';

export const kubeCodes = {
  'kube/bad-kubeconfig': {
    meaning: 'The kubeconfig, or the service account of the pod, cannot be used.',
    cause: 'It is not there, names a context it does not have, or has a way to log in that is not supported.',
    fix: 'Try "kubectl --kubeconfig FILE get nodes"; --kubeconfig and --kube-context say which is meant.',
    exitCode: 2,
  },
  'kube/unreachable': {
    meaning: 'The API server of the cluster does not answer.',
    cause: 'No network, another address, or a certificate of another authority.',
    fix: 'Try "kubectl get nodes" with the same kubeconfig.',
  },
  'kube/bad-answer': {
    meaning: 'What answers is no API server of Kubernetes.',
    cause: 'The kubeconfig leads to another server, or a proxy answers in its place.',
    fix: 'Try "kubectl get nodes" with the same kubeconfig.',
  },
  'kube/unauthorized': {
    meaning: 'The API server does not know the account.',
    cause: 'Its certificate or token ended, or belongs to another cluster.',
    fix: 'Get a new kubeconfig, or log in again.',
  },
  'kube/forbidden': {
    meaning: 'The account may not do this in the cluster.',
    cause: 'Its roles do not allow it, or an admission policy refuses it; the message says which.',
    fix: 'Ask the administrator of the cluster for the right that the message names.',
  },
  'kube/not-found': {
    meaning: 'The cluster has no such object, or does not serve the kind.',
    cause: 'A spelling mistake, an object that was deleted, or objects that were never installed.',
    fix: 'Look at the name; objects of fleets come with "plinth fleet install".',
  },
  'kube/conflict': {
    meaning: 'The object was changed by someone else in between, or is there already.',
    cause: 'Two writers at the same time.',
    fix: 'Look at the object and try again.',
  },
  'kube/expired': {
    meaning: 'The version that was asked for is no longer kept by the API server.',
    cause: 'The list took longer than the server keeps old versions, five minutes by default.',
    fix: 'Try again.',
  },
  'kube/invalid': {
    meaning: 'The API server refuses the object.',
    cause: 'A field breaks a rule of its kind; the message says which.',
    fix: 'Correct the field that the message names.',
  },
  'kube/busy': {
    meaning: 'The API server asks to wait.',
    cause: 'Too many calls at once, or a PodDisruptionBudget that allows no eviction.',
    fix: 'Try again later.',
  },
  'kube/failed': {
    meaning: 'The API server failed at the call.',
    cause: 'It, its etcd or a webhook has a problem; the message is its own.',
    fix: 'Look at the control plane: "plinth health", "plinth get kubernetes".',
  },
} as const satisfies CodeTable;
