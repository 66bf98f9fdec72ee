import { controlPlaneCertificateRules, memberCertificateRules } from './certificates.ts';
import { diskRules } from './disk.ts';
import { etcdRules } from './etcd.ts';
import { kernelRules } from './kernel.ts';
import { kubeletRules, staticPodRules } from './kubelet.ts';
import { memoryRules } from './memory.ts';
import { memberNetworkRules, networkRules } from './network.ts';
import { controlPlanePortRules, portRules } from './ports.ts';
import type { HealthRule, MemberView, NodeView, RuleScope } from './rule.ts';
import { memberTimeRules, timeRules } from './time.ts';
import { memberUnitRules, unitRules } from './units.ts';
import { versionRules } from './versions.ts';

/** Rules of every node, in the order people read them. */
export const nodeRules: readonly HealthRule<NodeView>[] = [
  ...unitRules,
  ...diskRules,
  ...timeRules,
  ...networkRules,
  ...memoryRules,
];

/** Rules of a node that belongs to a cluster. */
export const memberRules: readonly HealthRule<MemberView>[] = [
  ...memberUnitRules,
  ...kubeletRules,
  ...memberNetworkRules,
  ...portRules,
  ...memberTimeRules,
  ...memberCertificateRules,
  ...versionRules,
  ...kernelRules,
];

/** Rules of a control plane, beside those of a member. */
export const controlPlaneRules: readonly HealthRule<MemberView>[] = [
  ...staticPodRules,
  ...controlPlanePortRules,
  ...etcdRules,
  ...controlPlaneCertificateRules,
];

/** All rules with the nodes they are for; the reference page is made from it. */
export const healthRules: readonly {
  readonly scope: RuleScope;
  readonly rule: Omit<HealthRule<never>, 'observe'>;
}[] = [
  ...nodeRules.map((rule) => ({ scope: 'node', rule }) as const),
  ...memberRules.map((rule) => ({ scope: 'member', rule }) as const),
  ...controlPlaneRules.map((rule) => ({ scope: 'control-plane', rule }) as const),
];
