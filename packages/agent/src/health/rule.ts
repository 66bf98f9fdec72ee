import type { CheckSpec, Finding } from '../checks/check.ts';
import type { Sys } from '../sys/sys.ts';
import type { KubernetesObserver } from './kubernetes-observer.ts';
import type { NetworkProbe } from './network-probe.ts';

/** The node's place in a cluster, as far as health needs it. */
export interface Membership {
  readonly role: 'control-plane' | 'worker';
  /** Kubernetes version the node shall run, "1.37.1". */
  readonly version: string;
  /** Address other nodes reach it by. */
  readonly nodeAddress: string;
  /** Address of the cluster's DNS service. */
  readonly dnsAddress: string;
  /** "cluster.local". */
  readonly dnsDomain: string;
}

/** What rules of any node look at. */
export interface NodeView {
  readonly sys: Sys;
  readonly probe: NetworkProbe;
}

/** What rules of a cluster's member look at. */
export interface MemberView extends NodeView {
  readonly member: Membership;
  readonly kubernetes: KubernetesObserver;
}

/** Which nodes a rule is for. */
export type RuleScope = 'node' | 'member' | 'control-plane';

/** One thing that can be wrong with a node. The observation is apart from its judgement, which is a pure function. */
export interface HealthRule<View> extends Omit<CheckSpec, 'observe'> {
  /** What is usually behind a failure; a finding may know better. */
  readonly cause: string;
  observe(view: View): Promise<Finding>;
}

/** bindRule turns a rule into a check of one machine. */
export function bindRule<View extends NodeView>(rule: HealthRule<View>, view: View): CheckSpec {
  return { ...rule, observe: () => rule.observe(view) };
}

/** textOf reads a file that must be there; what is missing cannot be judged, and says so with its path. */
export async function textOf(sys: Pick<Sys, 'readFile'>, path: string): Promise<string> {
  return (await sys.readFile(path)).toString('utf8').trim();
}

/** percent of a share, rounded down: "4 %" must not read as the 5 % that are asked for. */
export function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}
