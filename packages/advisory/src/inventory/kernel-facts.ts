import { posix } from 'node:path';

const MODULE = /^\/(?:usr\/)?lib\/modules\/([^/]+)\/.+\/([^/]+)\.ko(?:\.(?:xz|zst|gz))?$/;

/** moduleName is the kernel's name of a module file: dashes are underscores there. */
export function moduleName(path: string): string {
  return posix
    .basename(path)
    .replace(/\.ko(?:\.(?:xz|zst|gz))?$/, '')
    .replaceAll('-', '_');
}

/** modulesOf gives the modules among the files of an image, sorted, and the kernel release they are for; pure. */
export function modulesOf(paths: Iterable<string>): { readonly release: string; readonly modules: string[] } {
  const modules = new Set<string>();
  let release = '';
  for (const path of paths) {
    const match = MODULE.exec(path);
    if (!match) continue;
    release = match[1] ?? '';
    modules.add(moduleName(path));
  }
  return { release, modules: [...modules].sort() };
}

/** parseKernelConfig reads a kernel's .config; symbols that are off are not in the result. */
export function parseKernelConfig(text: string): Record<string, string> {
  const symbols: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w{1,100})=(.{0,2000})$/gm)) {
    if (name !== undefined && value !== undefined) symbols[name] = value.replace(/^"(.*)"$/, '$1');
  }
  return symbols;
}

/** parseDeniedModules reads modprobe.d text: modules that `install … /bin/false` keeps out (modprobe.d(5)). */
export function parseDeniedModules(text: string): string[] {
  const denied = new Set<string>();
  for (const line of text.split('\n')) {
    // A blacklist only stops aliases; what is loaded by name, or by another module, comes all the same.
    const [, name] = /^\s*install\s+(\S+)\s+(?:\/usr)?\/bin\/(?:false|true)\s*$/.exec(line) ?? [];
    if (name !== undefined) denied.add(name.replaceAll('-', '_'));
  }
  return [...denied].sort();
}

/** parseBuiltinModules reads modules.builtin: modules that are part of the kernel itself, sorted. */
export function parseBuiltinModules(text: string): string[] {
  return [...text.matchAll(/([^/\s]+)\.ko$/gm)].map(([, name = '']) => name.replaceAll('-', '_')).sort();
}

/** deniedByCommandLine gives the modules that the kernel itself refuses: module_blacklist= of its command line. */
export function deniedByCommandLine(commandLine: string): string[] {
  return [...commandLine.matchAll(/(?:^|\s)module_blacklist=(\S+)/g)]
    .flatMap(([, names = '']) => names.split(','))
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}
