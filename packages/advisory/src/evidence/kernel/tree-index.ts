import type { KernelMap } from './kernel-map.ts';

/** Finds folders and files of a kernel map by the words of their names. */
export interface TreeIndex {
  /** All files at or below a path; a path without its extension ("net/core/sock") counts as the file. */
  filesBelow(path: string): readonly string[];
  /** Folders and files with the words of `name` in their own name: "ssif" finds ipmi_ssif.c and ssif_bmc.c. */
  withWords(name: string): readonly string[];
  /** Folders and files of exactly this name. */
  named(name: string): readonly string[];
  /** Files with a configuration symbol that has this word in it ("HSR") in their condition. */
  needing(word: string): readonly string[];
}

const indexes = new WeakMap<KernelMap, TreeIndex>();

/** treeIndexOf gives the index of a map; made once for each map. */
export function treeIndexOf(map: KernelMap): TreeIndex {
  const known = indexes.get(map) ?? makeIndex(map);
  indexes.set(map, known);
  return known;
}

function makeIndex(map: KernelMap): TreeIndex {
  // A subject names what is compiled; headers only count when a record lists them.
  const files = [...map.files.keys()].filter((path) => !path.endsWith('.h')).sort();
  const known = new Set(files);
  const byWord = new Map<string, string[]>();
  const folders = new Set<string>();
  for (const file of files) {
    const parts = file.split('/');
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  for (const path of [...folders, ...files]) {
    for (const word of new Set(normalName(baseName(path)).split('_'))) {
      const paths = byWord.get(word) ?? [];
      byWord.set(word, paths);
      paths.push(path);
    }
  }
  const bySymbolWord = new Map<string, string[]>();
  for (const file of files) {
    for (const word of new Set((map.files.get(file) ?? []).flat().flatMap((symbol) => symbol.split('_')))) {
      const paths = bySymbolWord.get(word) ?? [];
      bySymbolWord.set(word, paths);
      paths.push(file);
    }
  }
  const having = (name: string): readonly string[] => {
    const [first = ''] = normalName(name).split('_');
    // "RDMA/counter" is counters.c.
    return [first, `${first}s`].flatMap((word) => byWord.get(word) ?? []);
  };
  const filesBelow = (path: string): readonly string[] => {
    if (known.has(path)) return [path];
    const start = lowerBound(files, `${path}/`);
    const end = lowerBound(files, `${path}0`);
    if (end > start) return files.slice(start, end);
    return known.has(`${path}.c`) ? [`${path}.c`] : [];
  };
  return {
    filesBelow,
    needing: (word) => bySymbolWord.get(word) ?? [],
    withWords: (name) => {
      const wanted = normalName(name);
      return having(name).filter((path) => {
        const own = `_${normalName(baseName(path))}_`;
        return own.includes(`_${wanted}_`) || own.includes(`_${wanted}s_`);
      });
    },
    named: (name) => having(name).filter((path) => normalName(baseName(path)) === normalName(name)),
  };
}

/** First position whose path is not before the text; "0" is the character after "/". */
function lowerBound(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** "drivers/net/gtp.c" → gtp; a folder's last part. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[cSr]s?$/, '');
}

/** normalName writes a name as the index knows it: lower case, "_" between words. */
export function normalName(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}
