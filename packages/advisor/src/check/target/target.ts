import { z } from 'zod';
import { isoDate } from '../../facts/dates.ts';

/** What a path of a node is. `absent`: nothing there, and nothing can be made there. */
export const pathStates = [
  'read-only',
  'ephemeral',
  'persistent',
  'absent',
  'kernel',
  'devices',
  'unknown',
] as const;
export type PathState = (typeof pathStates)[number];

const name = z.string().min(1);
const sourceId = z.string().min(1);
/** A fact and where it was read. Facts that nobody has read are left out, and are unknown then. */
const known = <T extends z.ZodType>(value: T) => z.strictObject({ value, source: sourceId });

const pathFact = z.strictObject({
  /** A folder with all below it, until a longer path says otherwise. */
  path: z.string().regex(/^\/(?:[^*]*[^*/])?$/, 'expected an absolute path'),
  state: z.enum(pathStates),
  /** Files there cannot be executed. */
  noexec: z.boolean().optional(),
  /** The state is that of any node: moving changes nothing. */
  usual: z.boolean().optional(),
  why: name,
  source: sourceId,
});

/** What SELinux lets a pod that is not privileged do at a path of the host. */
const podAccess = z.strictObject({
  /** A folder with all below it, until a longer path says otherwise. */
  path: z.string().regex(/^\/(?:[^*]*[^*/])?$/, 'expected an absolute path'),
  pods: z.enum(['write', 'read', 'none', 'unknown']),
  /** What files there carry. */
  labels: z.array(name).min(1),
  /** Domains that listen there and take no call of such a pod. */
  sockets: z.array(name).optional(),
  why: name,
});
export type PodAccess = z.infer<typeof podAccess>;
export const podAccessSchema = z.strictObject({ paths: z.array(podAccess).min(1) });

const modes = ['enforcing', 'permissive', 'off'] as const;

/** What is known of a system that workloads are to move to. */
export const targetSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  name,
  /** Where facts were read: id, title or path of the document, and the day. */
  sources: z.record(
    z.string(),
    z.strictObject({
      title: name,
      read: isoDate,
      confidence: z.enum(['documented', 'reported', 'general']),
    }),
  ),
  paths: z.array(pathFact).default([]),
  /** Existing files and folders below read-only paths. Absent: nobody has listed them. */
  exists: known(z.array(name)).optional(),
  /** Programs of the host, by name; patterns with "*". The first list that has a name decides, absent before present. */
  programs: z
    .strictObject({
      absent: z.array(z.strictObject({ names: z.array(name), source: sourceId })).default([]),
      present: z.array(z.strictObject({ names: z.array(name), source: sourceId })).default([]),
    })
    .default({ absent: [], present: [] }),
  packageManager: known(z.boolean()).optional(),
  kernel: z
    .strictObject({
      /** Loaded at boot. */
      loaded: known(z.array(name)).optional(),
      /** Can be loaded when the settings of the node ask for them. */
      declared: known(z.array(name)).optional(),
      /** Only modules signed for this kernel can be loaded. */
      signedOnly: known(z.boolean()).optional(),
      lockdown: known(z.enum(['none', 'integrity', 'confidentiality'])).optional(),
      headers: known(z.boolean()).optional(),
    })
    .default({}),
  security: z
    .strictObject({
      selinux: known(z.enum(modes)).optional(),
      /** Absent: nobody has read what the policy says of host paths. */
      podAccess: known(z.array(podAccess)).optional(),
      apparmor: known(z.boolean()).optional(),
      /** Capabilities that no process of the system can have. */
      refusedCapabilities: known(z.array(name)).optional(),
      /** Level that namespaces without a label of their own are held to. */
      podSecurity: known(z.enum(['privileged', 'baseline', 'restricted'])).optional(),
      podSecurityExempt: z.array(name).default([]),
    })
    .default({ podSecurityExempt: [] }),
  kubelet: z
    .strictObject({
      /** Where network plugins are looked for. */
      cniBinDirs: known(z.array(name)).optional(),
      volumePluginDir: known(name).optional(),
      runtimeSocket: known(name).optional(),
      /** The runtime takes plugins at /run/nri/nri.sock. */
      nri: known(z.boolean()).optional(),
      /** Files of settings or flags can be changed on the node. */
      flagsChangeable: known(z.boolean()).optional(),
      /** The settings of a node can let pods set kernel settings that kubelets refuse by themselves. */
      unsafeSysctls: known(z.boolean()).optional(),
    })
    .default({}),
  /** Kernel settings that cannot have another value: key and why. */
  fixedSysctls: z.array(z.strictObject({ key: name, why: name, source: sourceId })).default([]),
  architectures: known(z.array(name)).optional(),
  /** How GPUs of NVIDIA get their driver. */
  gpu: known(z.enum(['none', 'image', 'extension', 'operator'])).optional(),
  runtimeClasses: known(z.array(name)).optional(),
});

/** A system that workloads are to move to, as far as it is known. */
export type Target = z.infer<typeof targetSchema>;
export type PathFact = Target['paths'][number];

/** pathFactOf tells what a path is on a target: the fact of the longest path that holds it. Undefined: unknown. */
export function pathFactOf(target: Target, path: string): PathFact | undefined {
  const best = longest(target.paths, path);
  return best?.state === 'unknown' ? undefined : best;
}

/** podAccessOf tells what SELinux lets pods do at a path. Undefined: nothing is said of it. */
export function podAccessOf(target: Target, path: string): PodAccess | undefined {
  return longest(target.security.podAccess?.value ?? [], path);
}

/** longest is the entry of the longest path that holds another. */
export function longest<T extends { readonly path: string }>(
  entries: readonly T[],
  path: string,
): T | undefined {
  let best: T | undefined;
  for (const entry of entries)
    if (isWithin(path, entry.path) && (best === undefined || entry.path.length > best.path.length))
      best = entry;
  return best;
}

/** isWithin: a path is a folder or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/** Folders that any Linux has (file-hierarchy(7)). */
const ANYWHERE = new Set(['/', '/etc', '/usr', '/usr/bin', '/usr/lib', '/var']);

/** existsOn tells whether something lies at a path of the image; undefined: nobody has listed it. */
export function existsOn(target: Target, path: string): boolean | undefined {
  if (ANYWHERE.has(path)) return true;
  const list = target.exists?.value;
  if (list === undefined) return undefined;
  if (list.some((entry) => isWithin(entry.replace(/\/\*$/, ''), path))) return true;
  // "folder/*": what lies below it has not been listed.
  if (list.some((entry) => entry.endsWith('/*') && isWithin(path, entry.slice(0, -2)))) return undefined;
  return false;
}

/** programOn tells whether the host has a program; undefined: unknown. */
export function programOn(target: Target, program: string): { has: boolean; source: string } | undefined {
  const find = (lists: Target['programs']['absent']) =>
    lists.find(({ names }) => names.some((pattern) => matches(pattern, program)));
  const absent = find(target.programs.absent);
  if (absent) return { has: false, source: absent.source };
  const present = find(target.programs.present);
  return present && { has: true, source: present.source };
}

/** matches holds a name against a pattern whose only special sign is "*", any text. */
export function matches(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const [first = '', ...rest] = pattern.split('*');
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const [index, part] of rest.entries()) {
    if (index === rest.length - 1) return text.length - part.length >= from && text.endsWith(part);
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return true;
}
