import type { MachineConfig } from '@plinth/config';
import type { AccessRules } from '../server/guard.ts';

/**
 * accessRules are the roles of a machine config as the guard judges by them.
 * @param labels of this node, from its machine config: it judges without the cluster, and nobody who may label nodes there
 *   gives away rights here. Asked at each call
 */
export function accessRules(
  roles: MachineConfig['api']['roles'],
  nodeName: string,
  labels: () => Readonly<Record<string, string>> = () => ({}),
): AccessRules {
  return {
    roles: (roles ?? []).map(({ name, methods, nodes, nodeLabels }) => ({
      name,
      methods,
      ...((nodes || nodeLabels) && { nodes: { names: nodes, labels: nodeLabels } }),
    })),
    node: {
      name: nodeName,
      get labels() {
        return labels();
      },
    },
  };
}
