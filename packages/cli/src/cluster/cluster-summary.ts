import { type ClusterRecord, listMachines, memberAddress } from '@plinth/local';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, nextCommands, table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';
import type { KubernetesNode } from './kubernetes-nodes.ts';
import type { Phase } from './lead-cluster.ts';

export interface NodeRow {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly version: string;
  readonly address: string;
  readonly api: string;
}

/** What is up, as `plinth up` shows it. */
export interface ClusterSummary {
  readonly cluster: string;
  readonly kubernetes: string;
  readonly imageVersion: string;
  readonly rootHash: string;
  readonly accelerator: 'kvm' | 'tcg' | 'unknown';
  readonly kubeconfig: string;
  readonly nodes: readonly NodeRow[];
  readonly phases: readonly Phase[];
}

/** summarizeCluster joins what the record, the machines and the API server say. */
export async function summarizeCluster(
  record: ClusterRecord,
  nodes: readonly KubernetesNode[],
  kubeconfig: string,
  phases: readonly Phase[],
  image: { readonly version: string; readonly rootHash: string },
): Promise<ClusterSummary> {
  const machines = new Map((await listMachines()).map((machine) => [machine.name, machine]));
  const known = new Map(nodes.map((node) => [node.name, node]));
  const [first] = record.members;
  return {
    cluster: record.name,
    kubernetes: record.kubernetesVersion,
    imageVersion: image.version,
    rootHash: image.rootHash,
    accelerator: machines.get(first?.name ?? '')?.record.accelerator ?? 'unknown',
    kubeconfig,
    nodes: record.members.map((member) => ({
      name: member.name,
      role: member.role,
      state: known.get(member.name)?.ready ? 'ready' : 'not ready',
      version: known.get(member.name)?.version ?? '',
      address: memberAddress(record.network, member),
      api: `127.0.0.1:${machines.get(member.name)?.record.apiPort ?? ''}`,
    })),
    phases: phases.map(({ name, durationMs }) => ({ name, durationMs: Math.round(durationMs) })),
  };
}

/** showCluster is the page `plinth up` ends with. */
export function showCluster(summary: ClusterSummary): CommandResult {
  const phases = summary.phases.map(({ name, durationMs }) => `${name} ${formatDuration(durationMs)}`);
  const totalMs = summary.phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return {
    data: summary,
    names: summary.nodes.map(({ name }) => name),
    view: [
      nodesTable(summary.nodes),
      facts([
        [
          'cluster',
          `${summary.cluster} (${summary.accelerator === 'tcg' ? 'emulated: no KVM here' : 'KVM'})`,
        ],
        ['kubernetes', summary.kubernetes],
        ['image', `plinth ${summary.imageVersion}`],
        ['kubeconfig', summary.kubeconfig],
        ['time', formatDuration(totalMs)],
        ...phases.map((phase): [string, string] => ['', phase]),
      ]),
      nextCommands([
        ['plinth kubectl get pods -A', 'nothing to install'],
        [`export KUBECONFIG=${summary.kubeconfig}`, 'for your own kubectl'],
        ['plinth health', 'every check of every node'],
      ]),
    ],
  };
}

/** nodesTable shows the nodes of a cluster. */
export function nodesTable(rows: readonly NodeRow[]): Block {
  return table(
    [
      { header: 'NAME', value: (row) => row.name },
      { header: 'ROLE', value: (row) => row.role },
      {
        header: 'STATE',
        value: (row) => row.state,
        mark: (row, style) => (row.state === 'ready' || row.state === 'member' ? style.good : style.doubtful),
      },
      { header: 'VERSION', value: (row) => row.version },
      { header: 'ADDRESS', value: (row) => row.address },
      { header: 'API', value: (row) => row.api },
    ],
    rows,
    'The cluster has no machine.',
  );
}
