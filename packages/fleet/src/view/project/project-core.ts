import type { BudgetView, LabelSelectorView, NodeView, PodView, Requests } from '../view.ts';
import { quantityOf } from './quantity.ts';
import { listOf, momentMs, type Raw, rawAt, textOf, textsOf } from './raw.ts';

// Kubernetes' own objects, cut down to what decisions look at as soon as they are parsed: a Node of 10 KB with its images and
// managed fields is 1 KB here. What is missing reads as the cautious value: a node without a condition is not ready.

/** projectNode keeps what decisions look at. */
export function projectNode(raw: unknown): NodeView {
  const [metadata, spec, status] = [rawAt(raw, 'metadata'), rawAt(raw, 'spec'), rawAt(raw, 'status')];
  const info = rawAt(status, 'nodeInfo');
  const ready = rawAt(listOf(status['conditions']).find((each) => rawAt(each)['type'] === 'Ready'));
  const internal = listOf(status['addresses']).find((each) => rawAt(each)['type'] === 'InternalIP');
  return {
    ...{ name: textOf(metadata['name']), uid: textOf(metadata['uid']) },
    resourceVersion: textOf(metadata['resourceVersion']),
    ...{ labels: textsOf(metadata['labels']), annotations: ownAnnotations(metadata['annotations']) },
    isUnschedulable: spec['unschedulable'] === true,
    taints: listOf(spec['taints']).map((each) => {
      const taint = rawAt(each);
      return { key: textOf(taint['key']), value: textOf(taint['value']), effect: textOf(taint['effect']) };
    }),
    isReady: ready['status'] === 'True',
    readySinceMs: momentMs(ready['lastTransitionTime']),
    ...{ bootId: textOf(info['bootID']), kubeletVersion: textOf(info['kubeletVersion']) },
    isDeleting: metadata['deletionTimestamp'] !== undefined,
    createdAtMs: momentMs(metadata['creationTimestamp']),
    address: textOf(rawAt(internal)['address']),
    allocatable: requestsOf(status['allocatable']),
    requested: undefined,
  };
}

/** Which Machine of Cluster API a node is, by its own annotations. */
export const MACHINE_ANNOTATIONS = {
  name: 'cluster.x-k8s.io/machine',
  namespace: 'cluster.x-k8s.io/cluster-namespace',
} as const;
const KEPT: readonly string[] = Object.values(MACHINE_ANNOTATIONS);

/** Other people's annotations can be long; none of them is looked at but those that name a Machine. */
function ownAnnotations(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(textsOf(value)).filter(
      ([name]) => name.split('/')[0]?.endsWith('plinth.dev') || KEPT.includes(name),
    ),
  );
}

function requestsOf(value: unknown): Requests {
  const all = rawAt(value);
  return {
    cpuMilli: Math.round(quantityOf(all['cpu']) * 1000),
    memoryBytes: Math.round(quantityOf(all['memory'])),
    pods: Math.round(quantityOf(all['pods'])),
  };
}

/** podRequests is what a pod takes of its node: the sum of its containers, or its largest init container. */
export function podRequests(raw: unknown): Requests {
  const spec = rawAt(raw, 'spec');
  const of = (each: unknown) => requestsOf(rawAt(each, 'resources', 'requests'));
  const sum = { cpuMilli: 0, memoryBytes: 0, pods: 1 };
  for (const { cpuMilli, memoryBytes } of listOf(spec['containers']).map(of)) {
    sum.cpuMilli += cpuMilli;
    sum.memoryBytes += memoryBytes;
  }
  for (const { cpuMilli, memoryBytes } of listOf(spec['initContainers']).map(of)) {
    sum.cpuMilli = Math.max(sum.cpuMilli, cpuMilli);
    sum.memoryBytes = Math.max(sum.memoryBytes, memoryBytes);
  }
  const overhead = requestsOf(spec['overhead']);
  return {
    cpuMilli: sum.cpuMilli + overhead.cpuMilli,
    memoryBytes: sum.memoryBytes + overhead.memoryBytes,
    pods: 1,
  };
}

/** A pod, and the node it is on. */
export interface PlacedPod extends PodView {
  readonly resourceVersion: string;
  readonly node: string;
}

/** projectPod keeps what a drain looks at. */
export function projectPod(raw: unknown): PlacedPod {
  const [metadata, spec, status] = [rawAt(raw, 'metadata'), rawAt(raw, 'spec'), rawAt(raw, 'status')];
  const controller = listOf(metadata['ownerReferences']).find((each) => rawAt(each)['controller'] === true);
  const annotations = textsOf(metadata['annotations']);
  return {
    ...{ namespace: textOf(metadata['namespace']), name: textOf(metadata['name']) },
    ...{ uid: textOf(metadata['uid']), resourceVersion: textOf(metadata['resourceVersion']) },
    ...{ labels: textsOf(metadata['labels']), annotations: podAnnotations(annotations) },
    controllerKind: controller === undefined ? undefined : textOf(rawAt(controller)['kind']),
    phase: textOf(status['phase']),
    isReady: listOf(status['conditions']).some(
      (each) => rawAt(each)['type'] === 'Ready' && rawAt(each)['status'] === 'True',
    ),
    isDeleting: metadata['deletionTimestamp'] !== undefined,
    graceSeconds: graceOf(spec['terminationGracePeriodSeconds']),
    hasEmptyDir: listOf(spec['volumes']).some((each) => rawAt(each)['emptyDir'] !== undefined),
    node: textOf(spec['nodeName']),
  };
}

/** Kubernetes' own default where nothing is said. */
function graceOf(value: unknown): number {
  return typeof value === 'number' ? value : 30;
}

const POD_ANNOTATIONS = ['kubernetes.io/config.mirror', 'kubernetes.io/config.source'];

function podAnnotations(all: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => POD_ANNOTATIONS.includes(name) || name.startsWith('plinth.dev/')),
  );
}

/** A budget with its identity. */
export type PlacedBudget = BudgetView & { readonly uid: string; readonly resourceVersion: string };

/** projectBudget keeps what a drain looks at. A budget whose controller has not looked at it yet allows nothing. */
export function projectBudget(raw: unknown): PlacedBudget {
  const [metadata, status] = [rawAt(raw, 'metadata'), rawAt(raw, 'status')];
  const allowed = status['disruptionsAllowed'];
  return {
    ...{ namespace: textOf(metadata['namespace']), name: textOf(metadata['name']) },
    ...{ uid: textOf(metadata['uid']), resourceVersion: textOf(metadata['resourceVersion']) },
    selector: selectorOf(rawAt(raw, 'spec', 'selector')),
    disruptionsAllowed: typeof allowed === 'number' ? allowed : 0,
  };
}

function selectorOf(selector: Raw): LabelSelectorView {
  return {
    matchLabels: textsOf(selector['matchLabels']),
    matchExpressions: listOf(selector['matchExpressions']).map((each) => {
      const { key, operator, values } = rawAt(each);
      return { key: textOf(key), operator: textOf(operator), values: listOf(values).map(textOf) };
    }),
  };
}

/** A VolumeAttachment: which volume is held for which node. */
export interface AttachmentView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly node: string;
}

/** projectAttachment keeps the node. */
export function projectAttachment(raw: unknown): AttachmentView {
  const metadata = rawAt(raw, 'metadata');
  return {
    ...{ name: textOf(metadata['name']), uid: textOf(metadata['uid']) },
    resourceVersion: textOf(metadata['resourceVersion']),
    node: textOf(rawAt(raw, 'spec')['nodeName']),
  };
}
