import { type BuildCondition, either, UNREAD } from './condition.ts';
import type { FileConditions, KernelTree } from './make-kernel-map.ts';

/** Folders whose files are in no kernel. */
const OUTSIDE = /^(?:tools|scripts|Documentation|samples|usr)\//;
/** Headers for everybody: who includes them says nothing about where a change in them matters. */
const SHARED = /^(?:include|arch\/[^/]+\/include)\//;
/** A file that more sources include than this is as good as shared. */
const INCLUDER_LIMIT = 300;

/**
 * includeConditions adds what `#include` says to the conditions of compiled files: a header outside include/, or a
 * source that others include, is needed when one of the sources that reach it is compiled. Names that fit several files
 * count for all of them. Reads every source of the tree.
 */
export function includeConditions(tree: KernelTree, compiled: FileConditions): FileConditions {
  const paths = tree.list().filter((path) => /\.[chS]$/.test(path) && !OUTSIDE.test(path));
  const includers = readIncluders(tree, paths);
  const all = new Map(compiled);
  for (const path of paths) {
    if (SHARED.test(path) || !includers.has(path)) continue;
    const condition = conditionOf(path, includers, compiled);
    const own = compiled.get(path);
    if (condition.length > 0) all.set(path, own ? either(own, condition) : condition);
  }
  return all;
}

/** File → the files that include it. */
function readIncluders(tree: KernelTree, paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const known = new Set(paths);
  const byName = new Map<string, string[]>();
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    byName.set(name, [...(byName.get(name) ?? []), path]);
  }
  const includers = new Map<string, string[]>();
  for (const path of paths) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    for (const match of (tree.read(path) ?? '').matchAll(
      /^[ \t]*#[ \t]*include[ \t]+(["<])([^">\n]{1,200})[">]/gm,
    )) {
      const [, mark, written = ''] = match;
      const beside = normal(`${folder}/${written}`);
      const plain = written.replace(/^(?:\.\.?\/)+/, '');
      const name = plain.slice(plain.lastIndexOf('/') + 1);
      const targets =
        mark === '"' && known.has(beside)
          ? [beside]
          : (byName.get(name) ?? []).filter((each) => each === plain || each.endsWith(`/${plain}`));
      for (const target of targets) {
        if (SHARED.test(target) || target === path) continue;
        includers.set(target, [...(includers.get(target) ?? []), path]);
      }
    }
  }
  return includers;
}

/** The condition that one of the sources is compiled that reach the file, directly or through other headers. */
function conditionOf(
  path: string,
  includers: ReadonlyMap<string, readonly string[]>,
  compiled: FileConditions,
): BuildCondition {
  const reached = new Set<string>([path]);
  const queue = [path];
  let condition: BuildCondition = [];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const includer of includers.get(next) ?? []) {
      if (reached.has(includer)) continue;
      reached.add(includer);
      if (reached.size > INCLUDER_LIMIT || SHARED.test(includer)) return UNREAD;
      const own = compiled.get(includer);
      if (own) condition = either(condition, own);
      // A source in no Makefile that was read may be compiled all the same; one of another architecture is not.
      else if (/\.[cS]$/.test(includer) && !includers.has(includer) && !/^arch\/(?!x86\/)/.test(includer))
        return UNREAD;
      queue.push(includer);
    }
  }
  return condition;
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
