import type { Diagnostic, Span } from '@plinth/base';
import type { ObjectRef } from '../model/kube-object.ts';
import type { Rule } from '../rules/knowledge.ts';
import type { Severity } from '../rules/rule.ts';

/** An owner is named as any object is. */
export { refText as ownerText } from '../model/kube-object.ts';

/** placeText is a place in a file as compilers write it: "a.yaml:3:7". */
export function placeText({ file, line, column }: Span): string {
  return `${file}:${line}:${column}`;
}

/** rulesOf are the rules that found something, by id. */
export function rulesOf(
  findings: readonly Pick<Finding, 'rule'>[],
  rules: ReadonlyMap<string, Rule>,
): CheckResult['rules'] {
  const used = [...new Set(findings.map(({ rule }) => rule))].sort();
  return Object.fromEntries(used.flatMap((id) => rules.get(id) ?? []).map((rule) => [rule.id, rule]));
}

/** Whom a finding is counted for: the outermost controller of the pods it was found in. */
export interface Owner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One finding, however many pods it was found in. Field names are part of the interface. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  /** What it is about: a path, a program, a label. */
  readonly subject: string;
  readonly owner: Owner;
  /** Empty when it is about the whole pod or object. */
  readonly container: string;
  /** It is an init container: what comes after it does not start. */
  readonly init?: true;
  /** The object it was read in. */
  readonly object: ObjectRef;
  /** The field: "$.spec.volumes[0].hostPath.path". */
  readonly path: string;
  /** Where that stands in a file; absent for a live cluster. */
  readonly span?: Span;
  /** What to do, one action. */
  readonly fix: string;
  /** Which fact of the target it rests on; empty when on none. */
  readonly fact: string;
  /** How many pods are affected, running ones or those asked for; null: one on each node. */
  readonly pods: number | null;
  /** On which nodes they run; empty when the input says nothing of it. */
  readonly nodes: readonly string[];
  readonly waiver?: { readonly reason: string; readonly expires: string };
  /** What nodes saw of it; absent when none was asked, or when it leaves no trace in their logs. */
  readonly observed?: Sightings;
}

/** How often nodes refused what a finding is about. */
export interface Sightings {
  /** Whether it runs on a node that was asked; if not, that nothing was seen means nothing. */
  readonly ran: boolean;
  /** A log of it could not be read, so a count of 0 means nothing. */
  readonly unread?: boolean;
  readonly count: number;
  /** Of them those that failed; the others were let through and only logged. */
  readonly enforced: number;
  /** RFC 3339, by the clocks of the nodes; absent when nothing was seen. */
  readonly first?: string;
  readonly last?: string;
  readonly nodes: readonly string[];
}

/** Where facts of a target were read. */
export interface FactSource {
  readonly title: string;
  /** The day it was read: "2026-11-21". */
  readonly read: string;
  readonly confidence: string;
}

/** How much of a node's logs was read. */
export interface ObservedLog {
  readonly node: string;
  /** RFC 3339, by the node's clock: the oldest message of the kernel, and when it was read. */
  readonly from: string;
  readonly until: string;
  readonly containerLogs: number;
  readonly refusals: number;
  /** Messages that the kernel says it left out. */
  readonly lost: number;
}

/** What came out of a check. */
export interface CheckResult {
  readonly target: {
    readonly id: string;
    readonly name: string;
    /** What the facts of findings were read in, by the name that `fact` of a finding says. */
    readonly sources: Readonly<Record<string, FactSource>>;
  };
  /** The day it was judged for: "2026-11-22". */
  readonly asOf: string;
  readonly objects: number;
  readonly workloads: number;
  readonly pods: number;
  /** Names of nodes that were seen. */
  readonly nodes: readonly string[];
  readonly findings: readonly Finding[];
  /** The rules of the findings, by id. */
  readonly rules: Readonly<Record<string, Rule>>;
  /** What could not be read or listed, so it was not checked. */
  readonly problems: readonly Diagnostic[];
  /** Problems beyond those that are listed. */
  readonly moreProblems: number;
  /** What was read of nodes; absent when none was asked. */
  readonly observed?: readonly ObservedLog[];
  readonly notes: readonly string[];
}
