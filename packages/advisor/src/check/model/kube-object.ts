import type { Span } from '@plinth/base';
import { isMap, type Json, type JsonMap, type Path, textAt } from './json.ts';

/** Bound on names that come from outside, before they stand in a report. */
const LONGEST_NAME = 253;

/** Which object, in the words of kubectl. */
export interface ObjectRef {
  /** "apps/v1"; empty when the object does not say it. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for objects without one. */
  readonly namespace: string;
  readonly name: string;
}

/** One object, and where its fields stand. */
export interface KubeObject extends ObjectRef {
  readonly value: JsonMap;
  /** The place of a field, or of the nearest that encloses it; undefined when it comes from an API server. */
  readonly locate: (path: Path) => Span | undefined;
}

/** toKubeObject takes a value for an object of Kubernetes; undefined when it does not say apiVersion and kind. */
export function toKubeObject(value: Json, locate: KubeObject['locate']): KubeObject | undefined {
  const apiVersion = textAt(value, 'apiVersion');
  const kind = textAt(value, 'kind');
  if (!isMap(value) || apiVersion === undefined || kind === undefined) return undefined;
  return {
    apiVersion: short(apiVersion),
    kind: short(kind),
    namespace: short(textAt(value, 'metadata', 'namespace') ?? ''),
    name: short(textAt(value, 'metadata', 'name') ?? textAt(value, 'metadata', 'generateName') ?? ''),
    value,
    locate,
  };
}

/** refText names an object: "DaemonSet kube-system/node-exporter". */
export function refText({ kind, namespace, name }: Omit<ObjectRef, 'apiVersion'>): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name === '' ? '(no name)' : name}`;
}

function short(text: string): string {
  return text.slice(0, LONGEST_NAME);
}
