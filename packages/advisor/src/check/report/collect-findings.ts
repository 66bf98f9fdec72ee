import type { Span } from '@plinth/base';
import { at, isMap, listAt, mapAt, pathText, textAt } from '../model/json.ts';
import type { KubeObject, ObjectRef } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { configMapKey, configMapsOf, type ScriptFinding } from '../rules/config-maps.ts';
import { placeOf, type RawFinding, type Severity, severities } from '../rules/rule.ts';
import { type Finding, type Owner, ownerText } from './finding.ts';

/** Bound on findings that are kept; beyond it they are only counted. */
const MOST_FINDINGS = 50_000;

const LONGEST_TEXT = 500;

/** Pods that something concerns. */
interface Users {
  owner: Owner;
  /** Pods that were seen themselves, and those that a controller asks for; null: one on each node. */
  seenPods: number;
  askedPods: number | null;
  readonly nodes: Set<string>;
}

interface Entry extends Users {
  first: Omit<Finding, 'pods' | 'nodes' | 'owner' | 'span'> & { readonly span?: Span | undefined };
}

/** Findings of many objects, joined by the controller they belong to. */
export interface Collector {
  add(finding: RawFinding, object: KubeObject, pod: PodView | undefined, severity: Severity): void;
  addPlaced(finding: RawFinding, object: ObjectRef, span: Span | undefined, severity: Severity): void;
  /** Keeps a finding in a ConfigMap until it is known which workloads bring it into a container. */
  addScript(script: ScriptFinding): void;
  /** Remembers that pods bring ConfigMaps into their containers. */
  noteConfigMaps(object: KubeObject, pod: PodView): void;
  /** Remembers that one controller belongs to another: a ReplicaSet to its Deployment. */
  noteController(object: KubeObject): void;
  finish(): { readonly findings: Finding[]; readonly dropped: number };
}

/** createCollector joins findings: 5,000 pods of one Deployment with the same fault are one finding. */
export function createCollector(): Collector {
  const entries = new Map<string, Entry>();
  const controllers = new Map<string, Owner>();
  const scripts: ScriptFinding[] = [];
  const users = new Map<string, Map<string, Users>>();
  let dropped = 0;
  const put = (entry: Entry) => {
    const key = keyOf(entry);
    const known = entries.get(key);
    if (known) join(known, entry);
    else if (entries.size < MOST_FINDINGS) entries.set(key, entry);
    else dropped++;
  };
  return {
    add(finding, object, pod, severity) {
      const whose = usersOf(object, pod);
      put({
        ...whose,
        owner: finding.owner ?? whose.owner,
        first: {
          ...firstOf(finding, object, placeOf(object, finding), severity),
          ...(isOfInit(finding, pod) && { init: true as const }),
        },
      });
    },
    addPlaced(finding, object, span, severity) {
      const owner = finding.owner ?? object;
      put({
        first: firstOf(finding, object, span, severity),
        owner: { kind: owner.kind, namespace: owner.namespace, name: owner.name },
        ...{ seenPods: 0, askedPods: 0, nodes: new Set<string>() },
      });
    },
    addScript(script) {
      if (scripts.length < MOST_FINDINGS) scripts.push(script);
      else dropped++;
    },
    noteConfigMaps(object, pod) {
      for (const name of configMapsOf(pod)) {
        const key = configMapKey(object, name);
        const ofMap = users.get(key) ?? new Map<string, Users>();
        users.set(key, ofMap);
        const whose = usersOf(object, pod);
        const known = ofMap.get(ownerText(whose.owner));
        if (known) joinUsers(known, whose);
        else ofMap.set(ownerText(whose.owner), whose);
      }
    },
    noteController(object) {
      const owner = controllerOf(object);
      if (owner) controllers.set(ownerText(object), owner);
    },
    finish() {
      for (const { finding, object, span, severity } of scripts) {
        const ofMap = users.get(configMapKey(object, object.name));
        // Nothing that was read runs it: it may be a document, or of something that was not given.
        if (ofMap === undefined) {
          const message = `${finding.message}; nothing that was read uses this ConfigMap`;
          const { kind, namespace, name } = object;
          put({
            first: firstOf({ ...finding, message }, object, span, 'info'),
            owner: { kind, namespace, name },
            ...{ seenPods: 0, askedPods: 0, nodes: new Set<string>() },
          });
          continue;
        }
        for (const whose of ofMap.values())
          put({ ...whose, nodes: new Set(whose.nodes), first: firstOf(finding, object, span, severity) });
      }
      const joined = new Map<string, Entry>();
      for (const entry of entries.values()) {
        const owner = controllers.get(ownerText(entry.owner)) ?? entry.owner;
        const whole: Entry = { ...entry, owner };
        const known = joined.get(keyOf(whole));
        if (known) join(known, whole);
        else joined.set(keyOf(whole), whole);
      }
      return { findings: [...joined.values()].map(toFinding).sort(compareFindings), dropped };
    },
  };
}

function firstOf(
  finding: RawFinding,
  { apiVersion, kind, namespace, name }: ObjectRef,
  span: Span | undefined,
  severity: Severity,
): Entry['first'] {
  return {
    rule: finding.rule,
    severity,
    message: clip(finding.message),
    subject: clip(finding.subject),
    container: clip(finding.container ?? ''),
    object: { apiVersion, kind, namespace, name },
    path: pathText(finding.path),
    fix: finding.fix ?? '',
    fact: finding.fact ?? '',
    span,
  };
}

/** Texts of a manifest can be of any length; a report is for people. */
function clip(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

function keyOf({ first, owner }: Entry): string {
  return [first.rule, first.severity, ownerText(owner), first.container, first.subject].join('\n');
}

/** The place in a controller is the one to mend, not that in a pod it made. */
function join(known: Entry, more: Entry): void {
  if (known.first.object.kind === 'Pod' && more.first.object.kind !== 'Pod') known.first = more.first;
  joinUsers(known, more);
}

function joinUsers(known: Users, more: Users): void {
  known.seenPods += more.seenPods;
  known.askedPods =
    known.askedPods === null || more.askedPods === null ? null : Math.max(known.askedPods, more.askedPods);
  for (const node of more.nodes) known.nodes.add(node);
}

function usersOf(object: KubeObject, pod: PodView | undefined): Users {
  const isPod = object.kind === 'Pod';
  const node = isPod ? textAt(object.value, 'spec', 'nodeName') : undefined;
  return {
    owner: ownerOf(object, pod),
    seenPods: isPod ? 1 : 0,
    askedPods: askedBy(object, pod),
    nodes: new Set(node === undefined ? [] : [node]),
  };
}

function toFinding({ first, owner, seenPods, askedPods, nodes }: Entry): Finding {
  const { span, ...rest } = first;
  return {
    ...rest,
    owner,
    ...(span && { span }),
    pods: seenPods > 0 ? seenPods : askedPods,
    nodes: [...nodes].sort(),
  };
}

function isOfInit({ container }: RawFinding, pod: PodView | undefined): boolean {
  return container !== undefined && pod?.containers.find(({ name }) => name === container)?.role === 'init';
}

/**
 * compareFindings orders findings: the worst first, of those daemons and init containers, which set up the host and hold
 * up what comes after them, then those of most nodes and pods.
 */
export function compareFindings(a: Finding, b: Finding): number {
  const order =
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    Number(isOfHost(b)) - Number(isOfHost(a)) ||
    b.nodes.length - a.nodes.length ||
    podsOf(b) - podsOf(a);
  if (order !== 0) return order;
  const text = (one: Finding) => [ownerText(one.owner), one.rule, one.container, one.subject].join('\n');
  return text(a) < text(b) ? -1 : 1;
}

function isOfHost({ owner, init }: Finding): boolean {
  return owner.kind === 'DaemonSet' || init === true;
}

/** One on each node is more than any number that is known. */
function podsOf({ pods }: Finding): number {
  return pods ?? Number.MAX_SAFE_INTEGER;
}

/** The controller an object names as its owner. */
export function controllerOf(object: KubeObject): Owner | undefined {
  const reference = listAt(object.value, 'metadata', 'ownerReferences').find(
    (each) => at(each, 'controller') === true,
  );
  if (!isMap(reference)) return undefined;
  const [kind, name] = [textAt(reference, 'kind'), textAt(reference, 'name')];
  if (kind === undefined || name === undefined) return undefined;
  // The pods of a node's own files belong to the node, which no one wants to see as their owner.
  if (kind === 'Node') return undefined;
  return { kind, namespace: object.namespace, name };
}

/** The outermost controller that an object itself tells. */
export function ownerOf(object: KubeObject, pod: PodView | undefined): Owner {
  const { kind, namespace, name } = object;
  const controller = controllerOf(object);
  if (controller === undefined) return { kind, namespace, name };
  // A Deployment gives its ReplicaSets names that end with the hash of their template.
  const hash = pod && textAt(mapAt(pod.metadata, 'labels'), 'pod-template-hash');
  if (controller.kind === 'ReplicaSet' && hash !== undefined && controller.name.endsWith(`-${hash}`))
    return { kind: 'Deployment', namespace, name: controller.name.slice(0, -hash.length - 1) };
  return controller;
}

function askedBy(object: KubeObject, pod: PodView | undefined): number | null {
  if (pod === undefined) return 0;
  if (pod.isDaemon) return null;
  const replicas = at(object.value, 'spec', 'replicas');
  return typeof replicas === 'number' ? replicas : 1;
}
