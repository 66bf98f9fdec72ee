import type { FleetView, StoredPolicy } from '../../view/view.ts';
import { countOf } from '../count.ts';
import { poolOf } from '../rollout/pool.ts';
import { targetOf, type Wanted, wantedOf } from '../rollout/wanted.ts';
import { takenOf } from '../rollout/waves.ts';
import { changesKubernetes, skewProblem } from './versions.ts';

/** Good nodes of all workers that a release of the system alone has to have before control planes get it. */
const WORKERS_FIRST = '5%';

/**
 * Why it is not a policy's turn yet; undefined: it is. Another Kubernetes: control planes first (workers wait for the API
 * servers). The system alone: control planes after 5 % of the workers. Among policies of one role, the lower priority first.
 */
export function turnProblem(view: FleetView, policy: StoredPolicy, wanted: Wanted): string | undefined {
  const { role, priority } = policy.spec;
  const skew = skewProblem(view, wanted.release, role);
  if (skew !== undefined) return skew;
  let workers = 0;
  let good = 0;
  for (const other of view.policies.values()) {
    if (other.name === policy.name || other.spec.release !== policy.spec.release) continue;
    const theirs = wantedOf(view, other);
    if (theirs?.release !== wanted.release) continue;
    if (other.spec.role === role) {
      if (other.spec.priority < priority && theirs.rollout?.status?.phase !== 'Complete')
        return `policy ${other.name} goes first (priority ${other.spec.priority} before ${priority})`;
    } else if (role === 'ControlPlane') {
      const target = targetOf(theirs.release, theirs.rollout?.name ?? '', theirs.lane);
      const taken = takenOf(poolOf(view, other, target).members);
      workers += taken.whole;
      good += taken.good;
    }
  }
  if (role !== 'ControlPlane' || workers === 0 || changesKubernetes(view, wanted.release)) return undefined;
  const needed = Math.max(1, countOf(WORKERS_FIRST, workers, 'up'));
  if (good >= needed) return undefined;
  return `${good} of ${workers} workers run ${wanted.release.name}; control planes follow after ${needed}`;
}
