import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { allowedModules, allowedSysctls, refusedSysctls } from '@plinth/config';
import { z } from 'zod';
import { readData } from '../../facts/load.ts';
import { longest, matches, type PathFact, type PodAccess, podAccessSchema, type Target } from './target.ts';

// What Plinth is to workloads is read from the files it is built from, so that it cannot fall behind them.

/** The day these files are as they are is the day of the check. */
const TREE = 'os/plinth.yaml';
const paths = z.object({
  paths: z.array(
    z.object({
      path: z.string(),
      kind: z.string(),
      writable: z.boolean(),
      persistent: z.boolean(),
      flags: z.array(z.string()),
      why: z.string(),
    }),
  ),
});
const spec = z.object({
  kernelCommandLine: z.array(z.union([z.string(), z.object({ argument: z.string() })])),
  programs: z.array(z.object({ path: z.string() })),
  removed: z.array(z.object({ path: z.string() })),
});
const layer = z.object({
  programs: z.array(z.object({ path: z.string(), links: z.array(z.string()).optional() })),
});
const policy = z.object({ forbidden: z.array(z.object({ rule: z.string(), names: z.array(z.string()) })) });
const lock = z.object({ architecture: z.string(), packages: z.array(z.object({ name: z.string() })) });
const tree = z.object({ exists: z.array(z.string()) });

/** What the target of Plinth is made from. */
export interface PlinthTables {
  readonly paths: z.infer<typeof paths>['paths'];
  readonly spec: z.infer<typeof spec>;
  readonly layer: z.infer<typeof layer>;
  readonly forbidden: readonly string[];
  readonly packages: readonly string[];
  readonly architecture: string;
  readonly loadedModules: readonly string[];
  readonly cniBinDirs: readonly string[];
  /** The runtime's configuration turns plugins (NRI) off. */
  readonly isNriOff: boolean;
  readonly exists: readonly string[];
  /** What SELinux lets pods do at paths of the host. */
  readonly podAccess: readonly PodAccess[];
  /** Links below /etc that lead out of it. */
  readonly links: readonly { readonly path: string; readonly to: string }[];
  /** Programs by name, with the packages of Debian that ship them. */
  readonly shippedBy: ReadonlyMap<string, readonly string[]>;
}

/**
 * readPlinthTables reads what Plinth is built from.
 * @param osDir the folder os/ of the repository
 * @param dataDir data/check, with what lies in the image beside programs (plinth-tree.yaml) and what SELinux lets pods do
 *   (plinth-labels.yaml)
 * @throws advisor/data-invalid when a file is not as it should be
 */
export async function readPlinthTables(
  osDir: string,
  dataDir: string,
  shippedBy: PlinthTables['shippedBy'],
): Promise<PlinthTables> {
  const modulesDir = join(osDir, 'modules-load.d');
  const modules = await Promise.all(
    (await readdir(modulesDir)).map((file) => readFile(join(modulesDir, file), 'utf8')),
  );
  const containerd = await readFile(join(osDir, 'etc/containerd/config.toml'), 'utf8');
  const locked = await readData(join(osDir, 'plinth.lock.json'), lock);
  return {
    paths: (await readData(join(osDir, 'paths.yaml'), paths)).paths,
    spec: await readData(join(osDir, 'plinth.yaml'), spec),
    layer: await readData(join(osDir, 'kubernetes/layer.yaml'), layer),
    forbidden: (await readData(join(osDir, 'policy.yaml'), policy)).forbidden.flatMap(({ names }) => names),
    packages: locked.packages.map((each) => each.name),
    architecture: locked.architecture,
    loadedModules: modules.flatMap((text) => text.split('\n').filter((line) => /^\w/.test(line))),
    cniBinDirs: [...(/^\s*bin_dirs = \[(.*)\]/m.exec(containerd)?.[1]?.matchAll(/"([^"]+)"/g) ?? [])].map(
      ([, dir = '']) => dir,
    ),
    isNriOff: /^\[plugins\."io\.containerd\.nri\.v1\.nri"\]\s*\n\s*disable = true/m.test(containerd),
    exists: (await readData(join(dataDir, 'plinth-tree.yaml'), tree)).exists,
    podAccess: (await readData(join(dataDir, 'plinth-labels.yaml'), podAccessSchema)).paths,
    links: await linksIn(join(osDir, 'etc'), '/etc'),
    shippedBy,
  };
}

/** plinthTarget says what Plinth is to workloads; pure. `today` is the day of the check, "2026-11-22". */
export function plinthTarget(tables: PlinthTables, today: string): Target {
  const source = (title: string) => ({ title, read: today, confidence: 'documented' as const });
  const argument = (wanted: string) =>
    tables.spec.kernelCommandLine.some(
      (each) => (typeof each === 'string' ? each : each.argument) === wanted,
    );
  const own = [
    ...tables.spec.programs.map(({ path }) => path),
    ...tables.layer.programs.flatMap(({ path, links = [] }) => [path, ...links]),
  ].map(baseName);
  const removed = tables.spec.removed.map(({ path }) => baseName(path));
  const present: string[] = [...own];
  const missing: string[] = [];
  for (const [program, packages] of tables.shippedBy) {
    const shipped = packages.some((name) => tables.packages.includes(name)) && !removed.includes(program);
    (shipped ? present : missing).push(program);
  }
  return {
    id: 'plinth',
    name: 'Plinth',
    sources: {
      paths: source('os/paths.yaml (docs/reference/paths.md)'),
      spec: source(TREE),
      policy: source('os/policy.yaml: what an image may not hold'),
      lock: source('os/plinth.lock.json: the packages of the image'),
      containerd: source('os/etc/containerd/config.toml'),
      kernel: source('os/modules-load.d, and document KernelModules of the machine config'),
      sysctls: source('document Sysctls of the machine config'),
      cluster: source('packages/agent/src/kubernetes/render: what a Plinth cluster is set up with'),
      labels: source(
        'packages/advisor/data/check/plinth-labels.yaml, compared with the compiled policy by a test',
      ),
      tree: source('packages/advisor/data/check/plinth-tree.yaml, compared with a built image by a test'),
    },
    paths: withLinks(tables.paths.flatMap(toFact), tables.links),
    exists: { value: [...tables.exists], source: 'tree' },
    programs: {
      absent: [
        { names: tables.forbidden.filter((name) => !own.includes(name)), source: 'policy' },
        { names: missing.filter((name) => !own.includes(name)), source: 'lock' },
      ],
      present: [
        { names: present.filter((name) => !tables.forbidden.some((p) => matches(p, name))), source: 'lock' },
      ],
    },
    packageManager: { value: false, source: 'policy' },
    kernel: {
      loaded: { value: [...tables.loadedModules], source: 'kernel' },
      declared: { value: allowedModules.map(([name]) => name), source: 'kernel' },
      ...(argument('module.sig_enforce=1') && { signedOnly: { value: true, source: 'spec' } }),
      ...(argument('lockdown=integrity') && { lockdown: { value: 'integrity' as const, source: 'spec' } }),
      headers: { value: tables.packages.some((name) => name.startsWith('linux-headers')), source: 'lock' },
    },
    security: {
      selinux: { value: argument('enforcing=0') ? 'permissive' : 'enforcing', source: 'spec' },
      podAccess: { value: withLinks(tables.podAccess, tables.links), source: 'labels' },
      apparmor: { value: argument('apparmor=1'), source: 'spec' },
      podSecurity: { value: 'baseline', source: 'cluster' },
      podSecurityExempt: ['kube-system'],
    },
    kubelet: {
      cniBinDirs: { value: [...tables.cniBinDirs], source: 'containerd' },
      volumePluginDir: { value: '/var/lib/kubelet/volume-plugins', source: 'cluster' },
      runtimeSocket: { value: '/run/containerd/containerd.sock', source: 'cluster' },
      nri: { value: !tables.isNriOff, source: 'containerd' },
      flagsChangeable: { value: false, source: 'cluster' },
      unsafeSysctls: { value: false, source: 'cluster' },
    },
    fixedSysctls: refusedSysctls
      .filter(({ key }) => !allowedSysctls.some((allowed) => allowed.key === key))
      .map(({ key, why }) => ({ key, why, source: 'sysctls' })),
    architectures: { value: [tables.architecture], source: 'lock' },
    gpu: { value: 'none', source: 'spec' },
    runtimeClasses: { value: [], source: 'containerd' },
  };
}

const MEMORY = ['/run', '/tmp', '/dev/shm', '/proc', '/sys', '/dev'];

/** The table is of mounts, and a mount below another inherits nothing from it: the first rule of a path counts. */
function toFact(
  { path, kind, writable, persistent, flags, why }: PlinthTables['paths'][number],
  index: number,
  all: PlinthTables['paths'],
): PathFact[] {
  const folder = path.replace(/\/\*\*$/, '');
  // What containerd and the kubelet mount below their folders says nothing of the folders; /efi is an automount.
  if (kind === 'workload' || all.findIndex((rule) => rule.path === path) < index) return [];
  const state = (): PathFact['state'] => {
    if (kind === 'devices') return 'devices';
    if (kind === 'kernel') return 'kernel';
    if (!writable) return 'read-only';
    return persistent ? 'persistent' : 'ephemeral';
  };
  return [
    {
      path: folder,
      state: state(),
      ...(flags.includes('noexec') && { noexec: true }),
      ...(MEMORY.some((each) => folder === each || folder.startsWith(`${each}/`)) && { usual: true }),
      why,
      source: 'paths',
    },
  ];
}

/** A path that is a link is what its target is. */
function withLinks<T extends { readonly path: string; readonly why: string }>(
  facts: readonly T[],
  links: PlinthTables['links'],
): T[] {
  const linked = links.flatMap(({ path, to }): T[] => {
    const fact = longest(facts, to);
    return fact ? [{ ...fact, path, why: `a link to ${to}: ${fact.why}` }] : [];
  });
  return [...facts, ...linked];
}

async function linksIn(folder: string, as: string): Promise<PlinthTables['links']> {
  const entries = await readdir(folder, { withFileTypes: true });
  const links = entries
    .filter((entry) => entry.isSymbolicLink())
    .map(async ({ name }) => ({ path: `${as}/${name}`, to: await readlink(join(folder, name)) }));
  return (await Promise.all(links)).filter(({ to }) => to.startsWith('/'));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
