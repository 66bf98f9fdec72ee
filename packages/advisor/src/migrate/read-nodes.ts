import { compareVersions, minorOf } from '../facts/version-range.ts';
import { type Fields, fieldsOf, known, listOf, textOf } from './fields.ts';
import type { Pool } from './pool.ts';

/** Labels that name the pool of a node, each with the platform that sets it. */
const POOL_LABELS: readonly (readonly [label: string, platform: string])[] = [
  ['kubernetes.azure.com/agentpool', 'aks'],
  ['agentpool', 'aks'],
  ['eks.amazonaws.com/nodegroup', 'eks'],
  ['cloud.google.com/gke-nodepool', 'gke'],
  ['alibabacloud.com/nodepool-id', 'ack'],
];

/** How systems name themselves in nodeInfo.osImage; the first that fits decides. */
const IMAGES: readonly (readonly [pattern: RegExp, system: string])[] = [
  [/azure container linux/i, 'azure-container-linux'],
  [/os ?guard/i, 'azure-linux-os-guard'],
  [/azure linux|mariner/i, 'azure-linux'],
  [/flatcar/i, 'flatcar'],
  [/bottlerocket/i, 'bottlerocket'],
  [/container-optimized os/i, 'container-optimized-os'],
  [/talos/i, 'talos'],
  [/fedora coreos/i, 'fedora-coreos'],
  [/k3os/i, 'k3os'],
  [/rancheros/i, 'rancheros'],
  [/photon/i, 'photonos'],
  [/kairos/i, 'kairos'],
  [/containeros|lifsea/i, 'containeros'],
  [/amazon linux/i, 'amazon-linux'],
  [/plinth/i, 'plinth'],
  [/ubuntu/i, 'ubuntu'],
];

/**
 * readNodes reads what kubectl get nodes,poddisruptionbudgets -A -o json prints of a live cluster: a pool for each label of a
 * platform, or one of all nodes. No pools when it is something else.
 */
export function readNodes(data: unknown): readonly Pool[] {
  const list = fieldsOf(data);
  const items = listOf(list['items']);
  const nodes = items.filter(({ kind }) => kind === 'Node');
  const budgets = items.filter(({ kind }) => kind === 'PodDisruptionBudget');
  const groups = new Map<string, { platform: string; nodes: Fields[] }>();
  for (const node of nodes) {
    const { name, platform } = poolOf(node);
    const group = groups.get(name) ?? { platform, nodes: [] };
    group.nodes.push(node);
    groups.set(name, group);
  }
  return [...groups].map(([name, group]) => toPool(name, group.platform, group.nodes, budgets));
}

function poolOf(node: Fields): { name: string; platform: string } {
  const labels = fieldsOf(fieldsOf(node['metadata'])['labels']);
  for (const [label, platform] of POOL_LABELS) {
    const name = textOf(labels[label]);
    if (name !== undefined) return { name, platform };
  }
  return { name: 'all-nodes', platform: 'on-premises' };
}

function toPool(name: string, platform: string, nodes: readonly Fields[], budgets: readonly Fields[]): Pool {
  const infos = nodes.map((node) => fieldsOf(fieldsOf(node['status'])['nodeInfo']));
  const all = (key: string) => [...new Set(infos.flatMap((info) => textOf(info[key]) ?? []))];
  // Nodes of one pool may be between two versions: the oldest has the least.
  const versions = all('kubeletVersion').toSorted(compareVersions);
  const architectures = all('architecture');
  const systems = all('operatingSystem');
  return {
    platform,
    system: systemOf(all('osImage'), versions, platform),
    name,
    nodes: nodes.length,
    surge: undefined,
    properties: known({
      kubernetes: versions[0] === undefined ? undefined : minorOf(versions[0]),
      architecture: architectures.includes('arm64')
        ? 'arm64'
        : architectures.length > 0
          ? 'amd64'
          : undefined,
      'os-type': systems.includes('windows') ? 'windows' : systems.length > 0 ? 'linux' : undefined,
      gpu: gpuOf(nodes),
      'disruption-budgets': budgetsOf(budgets),
    }),
    names: known({ pool: name }),
  };
}

/** Without the device plugin of a maker a GPU is not told, so none seen is not none. */
function gpuOf(nodes: readonly Fields[]): string | undefined {
  const resources = nodes.flatMap((node) => Object.keys(fieldsOf(fieldsOf(node['status'])['capacity'])));
  if (resources.some((key) => key.startsWith('nvidia.com/'))) return 'nvidia';
  return resources.some((key) => key.startsWith('amd.com/')) ? 'amd' : undefined;
}

/** Not told at all when no budget was listed: there may be none, or they were not asked for. One without pods allows none and needs none. */
function budgetsOf(budgets: readonly Fields[]): string | undefined {
  if (budgets.length === 0) return undefined;
  const statuses = budgets.map((budget) => fieldsOf(budget['status']));
  const allowed = statuses
    .filter(({ expectedPods }) => expectedPods !== 0)
    .map(({ disruptionsAllowed }) => disruptionsAllowed);
  if (!allowed.every((count) => typeof count === 'number' && count >= 1)) return 'no';
  // One that its controller has not looked at yet has no pods either.
  const isUnseen = statuses.some((status) => status['expectedPods'] === 0 && !status['observedGeneration']);
  return isUnseen ? undefined : 'yes';
}

/** One system for all nodes, or none: a pool of several is not guessed at. k3s on a general system is where one comes from. */
function systemOf(
  images: readonly string[],
  versions: readonly string[],
  platform: string,
): string | undefined {
  const found = new Set(images.map((image) => IMAGES.find(([pattern]) => pattern.test(image))?.[1]));
  const [system] = found;
  const isK3s = versions.some((version) => version.includes('+k3s')) && platform === 'on-premises';
  if (isK3s && (system === undefined || system === 'ubuntu')) return 'k3s';
  return found.size === 1 ? system : undefined;
}
