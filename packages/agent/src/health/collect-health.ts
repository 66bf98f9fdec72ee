import { type CheckResult, type CheckSpec, runCheck } from '../checks/check.ts';
import { rootChecks } from '../integrity/root-checks.ts';
import type { Sys } from '../sys/sys.ts';
import { askOnce, type KubernetesObserver } from './kubernetes-observer.ts';
import { type NetworkProbe, networkProbe } from './network-probe.ts';
import { bindRule, type Membership } from './rule.ts';
import { controlPlaneRules, memberRules, nodeRules } from './rules.ts';

export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

export interface Health {
  readonly state: HealthState;
  readonly checks: readonly CheckResult[];
}

/** A node's cluster, when it belongs to one. */
export interface ClusterView {
  readonly member: Membership;
  readonly kubernetes: KubernetesObserver;
}

/** Clients wait for twenty seconds by default, and the node looks at itself every minute. */
const LOOK_LIMIT_MS = 10_000;

/**
 * collectHealth asks whether the node can do its work. Never throws: what does not answer is `unknown`.
 * @param own checks of plinthd about itself: its config and identity
 * @param limitMs bound on the whole look: what is silent for longer costs its own check
 * @param cluster undefined for a node that belongs to none; rules of members do not apply then
 */
export async function collectHealth(
  sys: Sys,
  own: readonly CheckSpec[],
  cluster?: ClusterView,
  probe: NetworkProbe = networkProbe(),
  limitMs = LOOK_LIMIT_MS,
): Promise<Health> {
  const specs = [...own, ...nodeRules.map((rule) => bindRule(rule, { sys, probe })), ...rootCorruption()];
  if (cluster) {
    const view = { sys, probe, member: cluster.member, kubernetes: askOnce(cluster.kubernetes) };
    const rules =
      cluster.member.role === 'control-plane' ? [...memberRules, ...controlPlaneRules] : memberRules;
    specs.push(...rules.map((rule) => bindRule(rule, view)));
  }
  const checks = await Promise.all(specs.map((spec) => runCheck(spec, sys, limitMs)));
  return { state: healthState(checks), checks };
}

/** healthState sums up. A check that is unknown leaves the node degraded: what was not seen is not healthy. */
export function healthState(checks: readonly Pick<CheckResult, 'verdict' | 'critical'>[]): HealthState {
  if (checks.some(({ verdict, critical }) => verdict === 'fail' && critical)) return 'unhealthy';
  return checks.length > 0 && checks.every(({ verdict }) => verdict === 'pass') ? 'healthy' : 'degraded';
}

/** A verified root that gives wrong bytes: integrity looks at it too, and no work can be trusted to such a node. */
function rootCorruption(): readonly CheckSpec[] {
  return rootChecks().filter(({ id }) => id === 'root-corruption');
}
