import { type ClusterRecord, listClusters, memberAddress } from '@plinth/local';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';
import { nodesTable } from './cluster-summary.ts';
import { observeCluster, type SeenMember } from './observe-cluster.ts';

/** stateOf is one word for a member: what the machine is, or what the node says when it runs. */
export function stateOf(member: SeenMember): string {
  if (member.machine !== 'running') return member.machine;
  return member.node?.membership ?? 'silent';
}

/** showClusters lists the clusters of this computer. @throws cluster/bad-record */
export async function showClusters(
  context: CommandContext,
  now: number = Date.now(),
): Promise<CommandResult> {
  const rows = await Promise.all(
    (await listClusters()).map(async (record) => {
      const seen = await observeCluster(record, context);
      return {
        name: record.name,
        kubernetes: record.kubernetesVersion,
        controlPlanes: record.members.filter(({ role }) => role === 'control-plane').length,
        workers: record.members.filter(({ role }) => role === 'worker').length,
        members: seen.filter((member) => stateOf(member) === 'member').length,
        createdAt: record.createdAt,
      };
    }),
  );
  return {
    data: rows,
    names: rows.map(({ name }) => name),
    view: [
      table(
        [
          { header: 'NAME', value: (row) => row.name },
          { header: 'KUBERNETES', value: (row) => row.kubernetes },
          { header: 'CONTROL-PLANES', value: (row) => String(row.controlPlanes), align: 'right' },
          { header: 'WORKERS', value: (row) => String(row.workers), align: 'right' },
          { header: 'UP', value: (row) => `${row.members}/${row.controlPlanes + row.workers}` },
          { header: 'AGE', value: (row) => formatDuration(now - Date.parse(row.createdAt)) },
        ],
        rows,
        'There is no cluster. "plinth up" makes one.',
      ),
    ],
  };
}

/** showOneCluster shows the machines and nodes of a cluster as they are now. */
export async function showOneCluster(record: ClusterRecord, context: CommandContext): Promise<CommandResult> {
  const seen = new Map((await observeCluster(record, context)).map((member) => [member.name, member]));
  const rows = record.members.map((member) => {
    const now = seen.get(member.name);
    const port = now?.status?.record.apiPort;
    return {
      name: member.name,
      role: member.role,
      state: now ? stateOf(now) : 'absent',
      version: now?.answer?.version ?? '',
      address: memberAddress(record.network, member),
      api: port === undefined ? '' : `127.0.0.1:${port}`,
    };
  });
  return {
    data: { ...record, nodes: rows },
    names: rows.map(({ name }) => name),
    view: [
      nodesTable(rows),
      facts([
        ['cluster', record.name],
        ['kubernetes', record.kubernetesVersion],
        ['network', `10.5.${record.network.index}.0/24`],
        ['workloads', record.controlPlanesTakeWorkloads ? 'on control planes too' : 'on workers only'],
      ]),
    ],
  };
}
