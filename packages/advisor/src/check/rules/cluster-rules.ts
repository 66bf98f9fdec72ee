import type { Span } from '@plinth/base';
import { at, isMap, type JsonMap, listAt, mapAt, textAt } from '../model/json.ts';
import { type KubeObject, type ObjectRef, refText } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { agentOf } from './agents.ts';
import { type Knowledge, placeOf, type RawFinding } from './rule.ts';
import { baselineProblems } from './security.ts';

// Rules that need several objects. Of each object only what they need is kept, so that a large cluster fits.

/** A finding with the object it stands in, its place already found. */
export interface PlacedFinding {
  readonly finding: RawFinding;
  readonly object: ObjectRef;
  readonly span: Span | undefined;
}

interface Workload extends ObjectRef {
  readonly labels: JsonMap;
  /** Absent when the object leaves it to an autoscaler or to the default. */
  readonly replicas: number | undefined;
}

/** Pods of one namespace that the level "baseline" refuses. */
interface Refused {
  readonly example: ObjectRef;
  readonly path: (string | number)[];
  readonly span: Span | undefined;
  readonly problems: Set<string>;
  workloads: number;
}

/** What is kept of all objects until the last one was read. */
export interface ClusterIndex {
  readonly workloads: Workload[];
  readonly budgets: KubeObject[];
  /** Labels of namespaces that were seen. */
  readonly namespaces: Map<string, JsonMap>;
  readonly refused: Map<string, Refused>;
  /** The fewest pods that an autoscaler leaves, by the workload it scales; charts leave its replicas out then. */
  readonly scaled: Map<string, number>;
}

/** emptyIndex is the index of no objects. */
export function emptyIndex(): ClusterIndex {
  return { workloads: [], budgets: [], namespaces: new Map(), refused: new Map(), scaled: new Map() };
}

/** More are not compared: no cluster has as many, and each is compared with each workload of its namespace. */
const MOST_BUDGETS = 10_000;

/** addToIndex keeps what later rules need of an object. @param pod its pods, if it has any */
export function addToIndex(index: ClusterIndex, object: KubeObject, pod: PodView | undefined): void {
  if (object.kind === 'PodDisruptionBudget' && index.budgets.length < MOST_BUDGETS)
    index.budgets.push(object);
  if (object.kind === 'HorizontalPodAutoscaler') noteScaled(index, object);
  if (object.kind === 'Namespace')
    index.namespaces.set(object.name, mapAt(object.value, 'metadata', 'labels'));
  if (pod === undefined || object.kind === 'Job' || object.kind === 'CronJob') return;
  const { apiVersion, kind, namespace, name } = object;
  const replicas = at(object.value, 'spec', 'replicas');
  if (['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController'].includes(kind))
    index.workloads.push({
      ...{ apiVersion, kind, namespace, name },
      labels: mapAt(pod.metadata, 'labels'),
      replicas: typeof replicas === 'number' ? replicas : undefined,
    });
}

function noteScaled({ scaled }: ClusterIndex, { value, namespace }: KubeObject): void {
  const target = mapAt(value, 'spec', 'scaleTargetRef');
  const least = at(value, 'spec', 'minReplicas');
  const [kind = '', name = ''] = [textAt(target, 'kind'), textAt(target, 'name')];
  scaled.set(refText({ kind, namespace, name }), typeof least === 'number' ? least : 1);
}

/** How many pods are asked for: what the object says, else what its autoscaler leaves at least, else one. */
function replicasOf(workload: Workload, { scaled }: ClusterIndex): number {
  return workload.replicas ?? scaled.get(refText(workload)) ?? 1;
}

/** noteRefused keeps that a pod breaks the level "baseline", for its namespace. */
export function noteRefused(index: ClusterIndex, pod: PodView, { agents }: Knowledge): void {
  const helpers = pod.containers.flatMap(({ image }) => agentOf(image, agents)?.helpers ?? []);
  const problems = [...baselineProblems(pod), ...helpers];
  if (problems.length === 0) return;
  const { object } = pod;
  const known = index.refused.get(object.namespace);
  if (known) {
    known.workloads++;
    for (const problem of problems) known.problems.add(problem);
    return;
  }
  const { apiVersion, kind, namespace, name } = object;
  const path = ['metadata', 'name'];
  index.refused.set(namespace, {
    example: { apiVersion, kind, namespace, name },
    path,
    span: object.locate(path),
    problems: new Set(problems),
    workloads: 1,
  });
}

/** checkCluster applies the rules that need several objects. */
export function checkCluster(index: ClusterIndex, known: Knowledge): PlacedFinding[] {
  return [...index.budgets.flatMap((budget) => checkBudget(budget, index)), ...checkAdmission(index, known)];
}

function checkBudget(budget: KubeObject, index: ClusterIndex): PlacedFinding[] {
  const selector = at(budget.value, 'spec', 'selector');
  const chosen = index.workloads.filter(
    ({ namespace, labels }) => namespace === budget.namespace && isMap(selector) && selects(selector, labels),
  );
  const most = textAt(budget.value, 'spec', 'maxUnavailable');
  const least = textAt(budget.value, 'spec', 'minAvailable');
  const place = (message: string, field: string): PlacedFinding => {
    const finding: RawFinding = { rule: 'PLM071', message, subject: field, path: ['spec', field] };
    return { finding, object: budget, span: placeOf(budget, finding) };
  };
  if (most === '0' || most === '0%')
    return [place(`lets no pod leave (maxUnavailable: ${most}): a drain never ends`, 'maxUnavailable')];
  if (least === '100%')
    return [place('lets no pod leave (minAvailable: 100%): a drain never ends', 'minAvailable')];
  const replicas = chosen.reduce((sum, each) => sum + replicasOf(each, index), 0);
  const kept = podsKept(least ?? '', replicas);
  if (kept !== undefined && kept > 0 && chosen.length > 0 && replicas > 0 && kept >= replicas) {
    const share = least === `${kept}` ? '' : ` (minAvailable: ${least}, rounded up)`;
    const whose = chosen.map(({ kind, name }) => `${kind} ${name}`).join(', ');
    return [
      place(
        `wants ${kept} of ${replicas} pods of ${whose} at all times${share}: a drain never ends`,
        'minAvailable',
      ),
    ];
  }
  return [];
}

/** podsKept is how many of `pods` minAvailable keeps: a number, or a share that is rounded up; undefined for anything else. */
export function podsKept(minAvailable: string, pods: number): number | undefined {
  const [, digits, percent] = /^(\d{1,9})(%?)$/.exec(minAvailable) ?? [];
  if (digits === undefined) return undefined;
  return percent === '%' ? Math.ceil((Number(digits) * pods) / 100) : Number(digits);
}

/** selects holds labels against a selector (matchLabels, matchExpressions). */
export function selects(selector: JsonMap, labels: JsonMap): boolean {
  const exact = Object.entries(mapAt(selector, 'matchLabels')).every(([key, value]) => labels[key] === value);
  const expressed = listAt(selector, 'matchExpressions').every((each) => {
    const key = textAt(each, 'key') ?? '';
    const values = listAt(each, 'values');
    const value = labels[key];
    switch (textAt(each, 'operator')) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
  return exact && expressed;
}

const LABEL = 'pod-security.kubernetes.io/enforce';

function checkAdmission(index: ClusterIndex, { target }: Knowledge): PlacedFinding[] {
  const level = target.security.podSecurity;
  if (level === undefined || level.value === 'privileged') return [];
  return [...index.refused].flatMap(([namespace, refused]): PlacedFinding[] => {
    const labels = index.namespaces.get(namespace);
    if (labels?.[LABEL] === 'privileged' || target.security.podSecurityExempt.includes(namespace)) return [];
    const isSeen = labels !== undefined;
    const { kind, name } = refused.example;
    const finding: RawFinding = {
      rule: 'PLM054',
      // What is not in the input may well have the label in the cluster.
      severity: isSeen ? 'block' : 'warn',
      message: `${namespace === '' ? 'the namespace it is applied to' : `namespace ${namespace}`} ${isSeen ? 'has not' : 'needs'} the label ${LABEL}: privileged; without it a cluster of ${target.name} refuses ${refused.workloads === 1 ? `${kind} ${name}` : `${kind} ${name} and ${refused.workloads - 1} more`} (${[...refused.problems].sort().join(', ')})`,
      subject: namespace === '' ? '(any)' : namespace,
      path: refused.path,
      owner: { kind: 'Namespace', namespace: '', name: namespace === '' ? '(any)' : namespace },
      fact: level.source,
    };
    return [{ finding, object: refused.example, span: refused.span }];
  });
}
