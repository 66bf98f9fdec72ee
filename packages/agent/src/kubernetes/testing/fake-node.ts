import { PlinthError } from '@plinth/base';
import { memoryStore, type StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import { fakeSys } from '../../testing/fake-sys.ts';
import type { ChosenLayer, Layer } from '../layers/layer-store.ts';
import type { EnteredCluster } from '../open-kubernetes.ts';
import { type Kubernetes, openKubernetes } from '../open-kubernetes.ts';
import { EXTENSION_RELEASE, LAYER_SHARE } from '../paths.ts';
import type { NodeParts } from '../plans/node-parts.ts';
import type { Units } from '../units/run-unit.ts';

/** A node for tests: layers, units and links behave as on a machine, and nothing is run. */
export interface FakeNode {
  readonly store: StateStore;
  readonly lines: string[];
  /** Files of the node outside of plinthd's store. */
  readonly files: Map<string, string>;
  /** "start plinth-kubeadm-init.service", in order. */
  readonly ran: string[];
  readonly entered: EnteredCluster[];
  /** Versions on drives. */
  versions: string[];
  /** Versions whose signature the node does not trust. */
  distrusted: string[];
  /** Drives that pods hold, by path: nothing can be merged from there. */
  heldDrives: Set<string>;
  /** Units that fail. */
  failing: Set<string>;
  /** Units that fail the next time. */
  failOnce: Set<string>;
  /** After so many answers the cluster is silent when it is asked for its version, and then so many times. */
  silence: { after: number; times: number };
  /** Whether the cluster says that the node is ready. */
  ready: boolean;
  merged: string | undefined;
  chosen: ChosenLayer;
  clusterVersion: string;
  /** plinthd is killed when so many units have been run. */
  killAfter: { units: number; kill(): void } | undefined;
  readonly sys: Sys;
  /** Starts plinthd's part of Kubernetes; `signal` is its end. */
  open(signal?: AbortSignal): Promise<Kubernetes>;
}

/** What the layer's manifests call a value. */
export function variable(name: string): string {
  return `\${${name}}`;
}

export const NODE_ID = `sha256:${'ab'.repeat(32)}`;

/** fakeNode is a node with the layers 1.36.4 and 1.37.1 that belongs to no cluster. */
export function fakeNode(): FakeNode {
  const store: StateStore = { ...memoryStore('a test'), volatileBecause: undefined };
  const base = fakeSys({ addresses: ['192.0.2.1'] });
  const layerFile = (path: string): string | undefined => {
    if (node.merged === undefined) return undefined;
    const images = [{ name: 'pause', reference: 'plinth.local/pause:1' }];
    if (path === EXTENSION_RELEASE) return `IMAGE_VERSION=${node.merged}\n`;
    if (path === `${LAYER_SHARE}/layer.json`) return JSON.stringify({ kubernetes: node.merged, images });
    if (path === `${LAYER_SHARE}/cni.conflist.template`) return `mtu ${variable('podMtu')}`;
    if (path === `${LAYER_SHARE}/manifests/dns.yaml`)
      return `# ${variable('…')}\nip: ${variable('dnsAddress')}\n`;
    return undefined;
  };
  const sys: Sys = {
    ...base,
    async readFile(path) {
      const text = layerFile(path) ?? node.files.get(path);
      return text === undefined ? base.readFile(path) : Buffer.from(text);
    },
    async readDir(path) {
      if (path === `${LAYER_SHARE}/manifests`) return ['dns.yaml'];
      const below = [...node.files.keys()].filter((file) => file.startsWith(`${path}/`));
      return below.length > 0 ? below.map((file) => file.slice(path.length + 1)) : base.readDir(path);
    },
    async run(program, args) {
      if (!program.endsWith('systemd-tmpfiles')) return base.run(program, args);
      const text = (await store.read('kubernetes/layer.conf'))?.toString() ?? '';
      const path = /^L\+ \S+ - - - - (\S+)$/m.exec(text)?.[1];
      const source = path?.endsWith('.raw') ? 'staged' : 'drive';
      node.chosen = path === undefined ? undefined : { source, path };
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  };
  const units: Units = {
    state: async () => ({
      load: 'loaded',
      active: 'inactive',
      result: 'success',
      invocation: '',
      conditionsMet: true,
      busy: false,
    }),
    async run(verb, unit, { signal }) {
      signal?.throwIfAborted();
      if (node.killAfter && node.killAfter.units-- === 0) {
        node.killAfter.kill();
        signal?.throwIfAborted();
      }
      node.ran.push(`${verb} ${unit}`);
      if (unit === 'systemd-sysext.service') {
        const version = /(\d+\.\d+\.\d+)(?:\.raw)?$/.exec(node.chosen?.path ?? '')?.[1];
        if (verb !== 'stop' && node.heldDrives.has(node.chosen?.path ?? '')) {
          node.merged = undefined;
          throw new PlinthError('kubernetes/unit-failed', 'Cannot run systemd-sysext.service: failed');
        }
        if (verb === 'stop') node.merged = undefined;
        else if (version && !node.distrusted.includes(version)) node.merged = version;
      }
      if (node.failOnce.delete(unit) || node.failing.has(unit))
        throw new PlinthError('kubernetes/unit-failed', `Cannot run ${unit}: a test`);
    },
  };
  const layers = async (): Promise<Layer[]> =>
    node.versions.map((version) => ({
      version,
      source: 'drive',
      path: `/dev/disk/by-id/virtio-kubernetes-${version}`,
      active: version === node.merged,
      sizeBytes: 1,
    }));
  const parts: Partial<NodeParts> = {
    units,
    layers,
    copyLayer: async (layer) => ({
      ...layer,
      source: 'staged',
      path: `/layers/kubernetes-${layer.version}.raw`,
    }),
    chosenLayer: async () => node.chosen,
    writeNodeFile: async (path, data) => void node.files.set(path, Buffer.from(data).toString()),
    pollMs: 1,
    mergePauseMs: 1,
    view: {
      node: async () => ({
        ready: node.ready,
        reason: 'NetworkNotReady: a test',
        kubeletVersion: node.merged ?? '',
      }),
      async version() {
        if (node.silence.after-- > 0 || node.silence.times === 0) return node.clusterVersion;
        node.silence.times--;
        throw new PlinthError('kubernetes/api-unreachable', 'Cannot read kubeadm-config: no answer');
      },
    },
  };
  const node: FakeNode = {
    store,
    lines: [],
    files: new Map(),
    ran: [],
    entered: [],
    versions: ['1.37.1', '1.36.4'],
    distrusted: [],
    heldDrives: new Set(),
    failing: new Set(),
    failOnce: new Set(),
    silence: { after: 0, times: 0 },
    ready: true,
    merged: undefined,
    chosen: undefined,
    clusterVersion: '1.36.4',
    killAfter: undefined,
    sys,
    open: (signal = new AbortController().signal) =>
      openKubernetes({
        sys,
        store,
        console: { say: (line) => node.lines.push(line) },
        nodeName: 'node-1',
        nodeId: NODE_ID,
        life: { enter: (cluster) => node.entered.push(cluster), leave: async () => {} },
        signal,
        node: parts,
      }),
  };
  return node;
}
