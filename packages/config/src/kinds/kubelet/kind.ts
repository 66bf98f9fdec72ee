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
    'A change restarts the kubelet; pods go on. A node that is no member of a cluster has no kubelet yet, and takes them when it becomes one.',
    'Labels and taints are not here: a kubelet gives them to its node only when it registers it, so that a change would do nothing. Set them with kubectl.',
  ],
  schema: kubeletSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: Kubelet
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
  effects: { '': { kind: 'restart', unit: 'kubelet.service' } },
  reach: [],
});
