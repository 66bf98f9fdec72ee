import { defineKind } from '../../framework/kind.ts';
import { bootstrapContainerSchema } from './schema.ts';

export const bootstrapContainerKind = defineKind({
  kind: 'BootstrapContainer',
  property: 'bootstrapContainers',
  count: 'many',
  summary: 'A container that runs before the workloads of the node and then is gone.',
  notes: [
    'It runs once the machine is up and before the kubelet starts: on a new node before it enters a cluster, after a boot before its pods come back. A change of the config is for the next boot, because workloads run already.',
    'It is root in a container of its own: the network of the node, no devices, no capability over the node, and of its files only `mounts`. It may be run again: power can go away before the node has noted its end.',
    'Afterwards the container is gone, and so is the image unless something else uses it. How it went is told by `plinth get bootstrap-containers`: exit code, duration and the last lines of its output, which every reader of the API sees.',
    'The digest is all that vouches for the image: signatures of images are not checked yet.',
  ],
  schema: bootstrapContainerSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: BootstrapContainer
name: cache
image: registry.example/setup@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
command: [/bin/sh, /plinth/data]
args: [--verbose]
env:
  - name: CACHE_SIZE
    value: 2GiB
data: |
  mkdir -p /var/local/cache
mounts:
  - path: /var/local/cache
    writable: true
timeout: 2m
essential: true
run: on-change
`,
  render: () => [],
  effects: { '': { kind: 'reboot', why: 'bootstrap containers run before the workloads of a boot' } },
  reach: [],
});
