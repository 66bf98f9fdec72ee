import type { Diagnostic } from '@plinth/base';
import { at, listAt, textAt } from './model/json.ts';
import type { KubeObject, ObjectRef } from './model/kube-object.ts';
import { viewPod } from './model/pod-view.ts';
import { LIMITS } from './read/limits.ts';
import type { Read } from './read/read-sources.ts';
import { createCollector } from './report/collect-findings.ts';
import { type CheckResult, type Finding, rulesOf } from './report/finding.ts';
import { addToIndex, checkCluster, emptyIndex, noteRefused } from './rules/cluster-rules.ts';
import { objectRules, podRules } from './rules/index.ts';
import type { Rule } from './rules/knowledge.ts';
import { type Knowledge, placeOf, type RawFinding, type Severity } from './rules/rule.ts';
import type { Target } from './target/target.ts';

/** What a check knows: rules, target, agents. */
export interface CheckKnowledge extends Knowledge {
  readonly rules: ReadonlyMap<string, Rule>;
}

/** Objects that another one made from a template that is checked itself. */
const COPIES = new Set(['ReplicaSet', 'ControllerRevision', 'Job']);

/**
 * runCheck holds every object that is read against all rules. It keeps no object longer than it looks at it, except the
 * few that must be compared with others.
 * @param asOf the day it is judged for, "2026-11-22"
 */
export async function runCheck(
  reads: AsyncIterable<Read> | Iterable<Read>,
  known: CheckKnowledge,
  asOf: string,
): Promise<CheckResult> {
  const collector = createCollector();
  const index = emptyIndex();
  const problems: Diagnostic[] = [];
  const notes: string[] = [];
  const nodes = new Set<string>();
  const counts = { objects: 0, workloads: 0, pods: 0, moreProblems: 0 };
  const severityOf = (finding: RawFinding): Severity =>
    finding.severity ?? known.rules.get(finding.rule)?.severity ?? 'warn';
  const check = (object: KubeObject) => {
    counts.objects++;
    collector.noteController(object);
    if (object.kind === 'Node') nodes.add(object.name);
    const isCopy = COPIES.has(object.kind) && listAt(object.value, 'metadata', 'ownerReferences').length > 0;
    if (isCopy) return;
    const pod = viewPod(object);
    addToIndex(index, object, pod);
    for (const rule of objectRules)
      for (const finding of rule(object, known)) {
        const severity = severityOf(finding);
        if (object.kind === 'ConfigMap')
          collector.addScript({ finding, object: refOf(object), span: placeOf(object, finding), severity });
        else collector.add(finding, object, pod, severity);
      }
    if (pod === undefined || isOver(object)) return;
    if (object.kind === 'Pod') {
      counts.pods++;
      const node = textAt(object.value, 'spec', 'nodeName');
      if (node !== undefined) nodes.add(node);
    } else counts.workloads++;
    noteRefused(index, pod, known);
    collector.noteConfigMaps(object, pod);
    for (const rule of podRules)
      for (const finding of rule(pod, known)) collector.add(finding, object, pod, severityOf(finding));
  };
  for await (const read of reads) {
    if (read.kind === 'object') check(read.object);
    else if (read.kind === 'note') notes.push(read.note);
    else if (problems.length < LIMITS.problems) problems.push(read.problem);
    else counts.moreProblems++;
  }
  for (const { finding, object, span } of checkCluster(index, known))
    collector.addPlaced(finding, object, span, severityOf(finding));
  const { findings: found, dropped } = collector.finish();
  const findings = found.map((one) => ({ ...one, fix: one.fix || (known.rules.get(one.rule)?.fix ?? '') }));
  if (dropped > 0) notes.push(`${dropped} findings more than can be listed`);
  return {
    target: {
      id: known.target.id,
      name: known.target.name,
      sources: sourcesOf(findings, known.target.sources),
    },
    asOf,
    ...counts,
    nodes: [...nodes].sort(),
    findings,
    rules: rulesOf(findings, known.rules),
    problems,
    notes,
  };
}

/** The sources that findings rest on. */
function sourcesOf(findings: readonly Finding[], sources: Target['sources']): Target['sources'] {
  const used = new Set(findings.map(({ fact }) => fact));
  return Object.fromEntries(Object.entries(sources).filter(([id]) => used.has(id)));
}

/** What names an object, without its content. */
function refOf({ apiVersion, kind, namespace, name }: KubeObject): ObjectRef {
  return { apiVersion, kind, namespace, name };
}

/** A pod that has ended moves nowhere. */
function isOver(object: KubeObject): boolean {
  const phase = at(object.value, 'status', 'phase');
  return object.kind === 'Pod' && (phase === 'Succeeded' || phase === 'Failed');
}
