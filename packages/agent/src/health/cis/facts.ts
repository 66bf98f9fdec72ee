import { parse } from 'yaml';
import { z } from 'zod';

/** A file or folder as stat(2) tells it. */
export interface CisFile {
  /** Permission bits. */
  readonly mode: number;
  /** "root:root"; numbers where there is no name. */
  readonly owner: string;
}

/** What is judged. Everything was read from one node at one time. */
export interface CisFacts {
  readonly role: 'control-plane' | 'worker';
  /** Flags of each static pod by the part's name, "kube-apiserver". */
  readonly parts: ReadonlyMap<string, Flags>;
  /** The kubelet's configuration (kubelet.config.k8s.io/v1beta1); undefined when it was not read. */
  readonly kubelet: unknown;
  /** Flags of the kubelet's command line; undefined when it was not read. */
  readonly kubeletFlags: Flags | undefined;
  /** Parsed files that the API server reads, by file name. Secret values in them are never shown. */
  readonly configs: ReadonlyMap<string, unknown>;
  /** By path; those that do not exist are absent. */
  readonly files: ReadonlyMap<string, CisFile>;
  /** Files and folders that are there, or may be, and could not be looked at. */
  readonly unseen?: ReadonlySet<string>;
}

/** Values of flags by name without dashes; the last of a name counts, as it does for the programs. */
export type Flags = ReadonlyMap<string, string>;

const TEXT_LIMIT = 1024 * 1024;
const staticPod = z.object({
  kind: z.literal('Pod'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    containers: z
      .array(z.object({ command: z.array(z.string()).default([]), args: z.array(z.string()).default([]) }))
      .length(1),
  }),
});

/**
 * readStaticPod gives the part that a manifest of kubeadm starts, and its flags.
 * Throws Error for a text that is no manifest of one container.
 */
export function readStaticPod(text: string): readonly [part: string, flags: Flags] {
  if (text.length > TEXT_LIMIT) throw new Error('the manifest is too large');
  const { metadata, spec } = staticPod.parse(parse(text));
  const [container] = spec.containers;
  return [metadata.name, readFlags([...(container?.command ?? []), ...(container?.args ?? [])])];
}

/** readFlags reads "--name=value" and "--name", which is "true"; what is no flag is passed over. */
export function readFlags(args: readonly string[]): Flags {
  return new Map(
    args.flatMap((arg): [string, string][] => {
      const [, name, value] = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(arg) ?? [];
      return name === undefined ? [] : [[name, value ?? 'true']];
    }),
  );
}

/**
 * valuesAt walks into parsed YAML by names with dots; "*" stands for every item. Gives scalars as text, items of a list
 * one by one, and of an object only the names of its fields. Undefined when there is nothing.
 */
export function valuesAt(root: unknown, field: string): readonly string[] | undefined {
  let found: unknown[] = [root];
  for (const name of field.split('.')) found = found.flatMap((value) => step(value, name));
  const values = found.flatMap(texts);
  return found.length === 0 ? undefined : values;
}

function step(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return name === '*' ? value : value.slice(Number(name), Number(name) + 1);
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
  const inner: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return inner === undefined || inner === null ? [] : [inner];
}

function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [String(value)];
}
