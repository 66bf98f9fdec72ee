import type { Span } from '@plinth/base';
import { listAt, mapAt, textAt } from '../model/json.ts';
import type { KubeObject, ObjectRef } from '../model/kube-object.ts';
import { type PodView, volumesOf } from '../model/pod-view.ts';
import type { RawFinding, Severity } from './rule.ts';

// A script in a ConfigMap matters for the workloads that bring it into a container, and only then.

/** A finding in a ConfigMap, until all workloads were seen. */
export interface ScriptFinding {
  readonly finding: RawFinding;
  readonly object: ObjectRef;
  readonly span: Span | undefined;
  readonly severity: Severity;
}

/** configMapsOf lists the ConfigMaps that pods bring into containers: volumes, projected volumes, variables. */
export function configMapsOf(pod: PodView): string[] {
  const inVolumes = volumesOf(pod).flatMap(({ value }) => [
    textAt(value, 'configMap', 'name'),
    ...listAt(value, 'projected', 'sources').map((source) => textAt(source, 'configMap', 'name')),
  ]);
  const inVariables = pod.containers.flatMap(({ value }) => [
    ...listAt(value, 'envFrom').map((source) => textAt(source, 'configMapRef', 'name')),
    ...listAt(value, 'env').map((each) => textAt(mapAt(each, 'valueFrom', 'configMapKeyRef'), 'name')),
  ]);
  return [...new Set([...inVolumes, ...inVariables].filter((name) => name !== undefined))];
}

/** configMapKey names a ConfigMap among those of all namespaces. */
export function configMapKey({ namespace }: Pick<KubeObject, 'namespace'>, name: string): string {
  return `${namespace}/${name}`;
}
