/** parseKernelConfig reads a kernel's configuration file; options that are off are not in the map. */
export function parseKernelConfig(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const [, name = '', value = ''] = /^CONFIG_([A-Za-z0-9_]+)=(.+)$/.exec(line) ?? [];
    return name === '' ? [] : [[name, value.replace(/^"(.*)"$/, '$1')]];
  });
  return new Map(pairs);
}

/** moduleNameOf is a module's name as the kernel says it, from a path of modules.dep or modules.builtin. */
function moduleNameOf(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.replace(/\.ko(\.(?:xz|zst|gz))?$/, '').replaceAll('-', '_');
}

/** parseModuleList reads modules.dep or modules.builtin: one path a line, what it needs after a colon (depmod(8)). */
export function parseModuleList(text: string): ReadonlySet<string> {
  const paths = text.split('\n').map((line) => line.split(':', 1)[0] ?? '');
  return new Set(paths.filter((path) => path !== '').map(moduleNameOf));
}

/** parseLoadedModules reads the names in /proc/modules. */
export function parseLoadedModules(text: string): ReadonlySet<string> {
  const names = text.split('\n').map((line) => line.split(' ', 1)[0] ?? '');
  return new Set(names.filter((name) => name !== ''));
}

/**
 * sysctlPath is the file of a setting, undefined for a name that is none or that is not told: settings that hold keys, and
 * those that give another value each time.
 */
export function sysctlPath(name: string): string | undefined {
  if (!/^(?:kernel|net|fs|vm|dev|user|abi)(?:\.[A-Za-z0-9_-]+)+$/.test(name)) return undefined;
  if (/(?:secret|_key)$/.test(name) || name.startsWith('kernel.random.')) return undefined;
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}
