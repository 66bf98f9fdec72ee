import { posix } from 'node:path';

/** A source file with what it imports at run time, in the order of its text. */
export interface SourceFile {
  readonly path: string;
  readonly imports: readonly string[];
}

/** Static imports, re-exports and dynamic imports. Imports of types only vanish at run time and cannot close a cycle. */
const IMPORT = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;

export interface FoundImport {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** Loaded while the importing file loads; a dynamic import is not. */
  readonly eager: boolean;
}

/** importsOf lists what a TypeScript file imports. */
export function importsOf(text: string): FoundImport[] {
  return [...text.matchAll(IMPORT)].map(([, type, specifier, dynamic]) => ({
    specifier: specifier ?? dynamic ?? '',
    typeOnly: type !== undefined,
    eager: dynamic === undefined,
  }));
}

/** resolveImport turns a relative specifier into a path of the repository. */
export function resolveImport(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

/** findCycle returns one cycle of the graph as a path that ends where it began; undefined when there is none. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const finished = new Set<string>();
  const path: string[] = [];

  function visit(node: string): string[] | undefined {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (finished.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    finished.add(node);
    return undefined;
  }

  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle) return cycle;
  }
  return undefined;
}
