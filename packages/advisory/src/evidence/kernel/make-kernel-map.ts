import { ALWAYS, type BuildCondition, both, either, isSurelyOn } from './condition.ts';
import { includeConditions } from './include-conditions.ts';
import { isTargetList, type KbuildLists, mergedWords, parseKbuild } from './parse-kbuild.ts';

/** A kernel source tree, as far as it is read. Paths are relative, "drivers/net/Makefile". */
export interface KernelTree {
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** All files of the tree. */
  list(): readonly string[];
}

/** Source file → when it is compiled on one architecture. A file that is not a key is not known to be compiled or not. */
export type FileConditions = ReadonlyMap<string, BuildCondition>;

interface Walk {
  readonly tree: KernelTree;
  readonly given: Readonly<Record<string, string>>;
  readonly files: Map<string, BuildCondition>;
  readonly seen: Map<string, BuildCondition>;
}

const DEPTH_LIMIT = 20;
const SOURCES = ['.c', '.S', '.rs'];

/**
 * makeKernelMap walks the Makefiles of a kernel source tree from the top, as `make` would, and gives for each source
 * file, and each header outside include/, the configuration symbols that it needs. Only text is read; nothing is run.
 * @param architecture the folder below arch/: "x86"
 */
export function makeKernelMap(tree: KernelTree, architecture: string): FileConditions {
  const given = { SRCARCH: architecture, BITS: '64', srctree: '.', objtree: '.' };
  const walk: Walk = { tree, given, files: new Map(), seen: new Map() };
  visit(walk, '.', ALWAYS, 0);
  // The top Makefile and the architecture's name these beside the Kbuild file.
  for (const folder of ['lib', `arch/${architecture}`]) visit(walk, folder, ALWAYS, 0);
  visitLists(walk, '.', lists(walk, `arch/${architecture}/Makefile`, '.'), ALWAYS, 0);
  return includeConditions(tree, walk.files);
}

function visit(walk: Walk, folder: string, condition: BuildCondition, depth: number): void {
  if (depth > DEPTH_LIMIT) return;
  const known = walk.seen.get(folder);
  // Being reached twice under the same condition adds nothing; an always-reached folder cannot be reached more.
  if (known && isSurelyOn(known, () => false)) return;
  const reached = known ? either(known, condition) : condition;
  if (known && JSON.stringify(known) === JSON.stringify(reached)) return;
  walk.seen.set(folder, reached);
  const makefile = [`${folder}/Kbuild`, `${folder}/Makefile`]
    .map(normal)
    .find((path) => walk.tree.exists(path));
  if (makefile === undefined) return;
  visitLists(walk, folder, lists(walk, makefile, folder), condition, depth);
}

function lists(walk: Walk, makefile: string, folder: string): KbuildLists {
  const given = { ...walk.given, src: folder, obj: folder };
  const include = (path: string) => walk.tree.read(normal(path.replace(/^\.\/(?=\.\/)/, '')));
  return parseKbuild(walk.tree.read(makefile) ?? '', include, given);
}

function visitLists(
  walk: Walk,
  folder: string,
  all: KbuildLists,
  condition: BuildCondition,
  depth: number,
): void {
  for (const [name, words] of all) {
    if (!isTargetList(name)) continue;
    for (const [word, own] of mergedWords(words)) {
      const reached = both(condition, own);
      if (word.endsWith('/')) visit(walk, below(folder, word.slice(0, -1)), reached, depth + 1);
      else if (name === 'subdir') visit(walk, below(folder, word), reached, depth + 1);
      else object(walk, folder, all, word, reached, 0);
    }
  }
}

/** An object is made of its parts where a list of its name gives some, else of the source of its name. */
function object(
  walk: Walk,
  folder: string,
  all: KbuildLists,
  word: string,
  condition: BuildCondition,
  depth: number,
): void {
  if (depth > DEPTH_LIMIT || !word.endsWith('.o')) return;
  const name = word.slice(0, -2);
  const parts = isTargetList(name) ? undefined : all.get(name);
  if (parts) {
    for (const [part, own] of mergedWords(parts)) {
      if (part !== word) object(walk, folder, all, part, both(condition, own), depth + 1);
    }
  }
  for (const extension of SOURCES) {
    const path = below(folder, `${name}${extension}`);
    if (!walk.tree.exists(path)) continue;
    const known = walk.files.get(path);
    walk.files.set(path, known ? either(known, condition) : condition);
  }
}

/** Object paths are relative to the folder; those of expanded $(src) name it already. */
function below(folder: string, path: string): string {
  const clean = normal(path);
  return folder !== '.' && clean.startsWith(`${folder}/`) ? clean : normal(`${folder}/${path}`);
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
