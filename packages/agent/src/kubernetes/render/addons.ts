import { PlinthError } from '@plinth/base';
import { type ClusterSpec, dnsAddressOf } from '../cluster-spec.ts';
import type { LayerFacts } from '../layers/layer-manifest.ts';
import { FOLDER, LOCAL_API } from '../paths.ts';
import type { RenderedFile } from '../settings.ts';

/** What the packets between pods of two nodes are wrapped in (VXLAN over IPv4). */
const VXLAN_BYTES = 50;

/** addons are the layer's manifests for this cluster. @throws kubernetes/layer-refused for an unknown ${…} */
export function addons(cluster: ClusterSpec, { manifests }: Pick<LayerFacts, 'manifests'>): RenderedFile[] {
  const values = new Map([
    ['clusterDomain', cluster.dnsDomain],
    ['dnsAddress', dnsAddressOf(cluster)],
    ['podNetwork', cluster.podNetwork],
    ['apiServerHost', LOCAL_API.host],
    ['apiServerPort', String(LOCAL_API.port)],
  ]);
  return [...manifests].map(([name, text]) => [`${FOLDER}/addons/${name}`, fill(text, name, values)]);
}

/** cniTemplate is what containerd makes the node's network configuration from, once the node has its pod network. */
export function cniTemplate(
  { cniTemplate: text }: Pick<LayerFacts, 'cniTemplate'>,
  nodeMtuBytes: number,
): RenderedFile {
  const values = new Map([['podMtu', String(nodeMtuBytes - VXLAN_BYTES)]]);
  return [`${FOLDER}/cni.conflist.template`, fill(text, 'cni.conflist.template', values)];
}

function fill(text: string, file: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{([\w:]+)\}/g, (_match, name: string) => {
    const value = values.get(name);
    if (value !== undefined) return value;
    throw new PlinthError(
      'kubernetes/layer-refused',
      `Cannot use the layer's ${file}: it names \${${name}}, expected only ${[...values.keys()].join(', ')}`,
    );
  });
}
