import { defineKind } from '../../framework/kind.ts';
import { renderKubelet } from './render.ts';
import { kubeletSchema } from './schema.ts';

export const kubeletKind = defineKind({
  kind: 'Kubelet',
  property: 'kubelet',
  count: 'at-most-one',
  summary: 'Settings of the kubelet that this node has of its own.',
  notes: [
    'They are laid over the configuration that the cluster has for all nodes, in the words of KubeletConfiguration (kubelet.config.k8s.io/v1beta1). What is not listed here, and above all who may ask the kubelet, is the same on every node.',
    'A change, but of labels, restarts the kubelet; pods go on. A node that is no member of a cluster has no kubelet yet, and takes them when it becomes one.',
    'Labels are given to the node by plinthd within a minute, over the API of the cluster. Taints are not here: no node may change its own, so that a field would count only when the node registers. Set them with kubectl.',
  ],
  schema: kubeletSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: Kubelet
labels:
  topology.kubernetes.io/zone: hall-2
  example.com/disk: ssd
maxPods: 200
systemReserved:
  cpu: 250m
  memory: 512Mi
evictionHard:
  memory.available: 200Mi
imageGCHighThresholdPercent: 75
imageGCLowThresholdPercent: 60
shutdownGracePeriod: 2m
`,
  render: renderKubelet,
  effects: { '': { kind: 'restart', unit: 'kubelet.service' }, labels: { kind: 'live' } },
  reach: [],
});
