import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const kubernetesAccessCodes = {
  'kubernetes/api-unreachable': {
    meaning: 'The Kubernetes API server does not answer the node.',
    cause:
      'The API server starts, has failed, or its etcd has no quorum; or the network between the nodes is cut.',
    fix: 'Try again in a minute; then look at etcd ("plinth etcd members") and at the node\'s health.',
  },
  'kubernetes/api-refused': {
    meaning: 'The Kubernetes API server refused what the node asked for.',
    cause: 'A rule of access was changed, or the object was changed by another at the same time.',
    fix: 'Try again; if it stays, apply the manifests of the Kubernetes layer anew.',
  },
  'kubernetes/api-answer-invalid': {
    meaning: 'The Kubernetes API server gave an answer that Plinth does not understand.',
    cause: 'A version of Kubernetes that this node was not made for, or an answer above the limit of size.',
    fix: 'Bring the node to a release of Plinth that supports the version of the cluster.',
  },
  'kubernetes/credentials-unusable': {
    meaning: 'The credentials of the node for its cluster are missing or cannot be read.',
    cause:
      'The node is no member of a cluster, is no control plane, or files of kubeadm were changed or removed.',
    fix: 'Ask a control plane of the cluster; if this is one, let it leave the cluster and join again.',
  },
  'kubernetes/certificates-not-renewed': {
    meaning: 'Certificates of a control plane come to their end and could not be renewed yet.',
    cause: 'etcd would lose its quorum by a restart of this control plane, or kubeadm failed.',
    fix: 'Bring the other control planes back; the node tries again by itself every few hours.',
  },
  'kubernetes/name-taken': {
    meaning: 'The cluster already has another node of that name or that identity.',
    cause: 'Two machines with one name, a copied disk, or a node that was made anew without leaving first.',
    fix: 'Give the node another name, or let the old node leave the cluster first.',
    exitCode: exitCodes.usage,
  },
} as const satisfies CodeTable;
