import { policySpec } from '../objects/index.ts';
import type { FleetView, StoredPolicy } from '../view/view.ts';

/** policyOf is the policy a node is under. One that was deleted leaves nodes on their way: they come to an end by the defaults. */
export function policyOf(view: FleetView, name: string): StoredPolicy {
  return (
    view.policies.get(name) ?? {
      ...{ name, uid: '', resourceVersion: '', generation: 0, createdAtMs: 0, status: undefined },
      spec: policySpec.parse({ nodeSelector: {} }),
    }
  );
}
