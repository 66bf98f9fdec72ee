import { PlinthError } from '@plinth/base';
import type { InitrdSpec } from '../spec/os-spec.ts';

/** What the planner must know about the tree; answers come from the tree on disk or from a test. */
export interface TreeView {
  kind(path: string): 'file' | 'directory' | 'symlink' | undefined;
  /** Where a symbolic link points, resolved to an absolute path in the tree. */
  linkTarget(path: string): string;
  /** Names of what is in a folder; empty when there is none. */
  list(folder: string): readonly string[];
  /** Names of the libraries an ELF file needs; empty for other files. */
  neededLibraries(path: string): readonly string[];
  text(path: string): string;
}

/** Where the dynamic linker looks, in its order; systemd's own libraries are found by their run path. */
const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu/systemd',
  '/usr/lib/systemd',
  '/usr/lib',
];
const UNIT_FOLDER = '/usr/lib/systemd/system';
const RULES_FOLDER = '/usr/lib/udev/rules.d';
const LOADER = '/usr/lib64/ld-linux-x86-64.so.2';

/**
 * planInitrd decides which paths of the tree the initrd carries: what the spec names, the libraries that needs,
 * and the kernel modules with the modules they need.
 * @returns sorted paths of files and links (folders follow from them)
 * @throws image/initrd-incomplete naming everything that is missing
 */
export function planInitrd(spec: InitrdSpec, tree: TreeView, kernelVersion: string): string[] {
  const missing: string[] = [];
  const paths = new Set<string>();
  const add = (path: string): void => {
    if (paths.has(path)) return;
    const kind = tree.kind(path);
    if (kind === undefined) {
      missing.push(path);
      return;
    }
    if (kind === 'directory') return;
    paths.add(path);
    if (kind === 'symlink') add(tree.linkTarget(path));
    else for (const library of tree.neededLibraries(path)) addLibrary(library);
  };
  const addLibrary = (name: string): void => {
    const folder = LIBRARY_FOLDERS.find((each) => tree.kind(`${each}/${name}`) !== undefined);
    if (folder === undefined) missing.push(name);
    else add(`${folder}/${name}`);
  };

  for (const path of [LOADER, ...spec.programs, ...spec.files]) add(path);
  for (const name of spec.dlopen) addLibrary(name);
  for (const name of spec.udevRules) add(`${RULES_FOLDER}/${name}`);
  for (const name of spec.units) add(`${UNIT_FOLDER}/${name}`);
  for (const path of unitLinks(spec, tree)) paths.add(path);
  for (const path of moduleClosure(spec.modules, tree, kernelVersion)) add(path);
  if (missing.length > 0) {
    throw new PlinthError(
      'image/initrd-incomplete',
      `Cannot make the initrd: the tree lacks ${[...new Set(missing)].sort().join(', ')}, expected everything os/initrd.yaml names`,
    );
  }
  return [...paths].sort();
}

/** Links in *.wants and *.requires folders between units that are both carried. */
function unitLinks(spec: InitrdSpec, tree: TreeView): string[] {
  const carried = new Set(spec.units);
  return tree
    .list(UNIT_FOLDER)
    .filter(
      (name) => /\.(wants|requires)$/.test(name) && carried.has(name.replace(/\.(wants|requires)$/, '')),
    )
    .flatMap((folder) =>
      tree
        .list(`${UNIT_FOLDER}/${folder}`)
        .filter((name) => carried.has(name))
        .map((name) => `${UNIT_FOLDER}/${folder}/${name}`),
    );
}

/** Files of the named modules and of all they need; built-in ones have no file. Source: modules.dep(5). */
function moduleClosure(names: readonly string[], tree: TreeView, kernelVersion: string): string[] {
  const folder = `/usr/lib/modules/${kernelVersion}`;
  const needs = new Map<string, { file: string; needs: string[] }>();
  for (const line of tree.text(`${folder}/modules.dep`).split('\n')) {
    const [file, rest] = line.split(':');
    if (file && rest !== undefined)
      needs.set(moduleName(file), { file, needs: rest.trim().split(' ').filter(Boolean) });
  }
  const builtIn = new Set(tree.text(`${folder}/modules.builtin`).split('\n').map(moduleName));
  const unknown = names.filter((name) => !needs.has(moduleName(name)) && !builtIn.has(moduleName(name)));
  if (unknown.length > 0) {
    throw new PlinthError(
      'image/initrd-incomplete',
      `Cannot make the initrd: kernel ${kernelVersion} has no module ${unknown.join(', ')}, expected each as a file or built in`,
    );
  }
  return names.flatMap((name) => {
    const module = needs.get(moduleName(name));
    return module ? [module.file, ...module.needs].map((file) => `${folder}/${file}`) : [];
  });
}

/** "kernel/drivers/md/dm-verity.ko.xz" and "dm_verity" are one module: "-" and "_" are the same to the kernel. */
function moduleName(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1);
  return base.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}
