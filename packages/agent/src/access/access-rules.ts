import type { MachineConfig } from '@plinth/config';
import type { AccessRules } from '../server/guard.ts';

/** accessRules are the roles of a machine config as the guard judges by them. */
export function accessRules(roles: MachineConfig['api']['roles'], nodeName: string): AccessRules {
  return {
    roles: (roles ?? []).map(({ name, methods, nodes }) => ({
      name,
      methods,
      ...(nodes && { nodes: { names: nodes } }),
    })),
    // A machine config has no labels: Kubernetes has them, and the API must be able to judge without it.
    node: { name: nodeName, labels: {} },
  };
}
