import { flag, short, text, type ValuesOf } from '../framework/options.ts';

/** Options of every command that can ask several nodes with one call. */
export const manyNodeOptions = {
  nodes: text('LIST', 'Contexts, or nodes of the cluster by name'),
  selector: short('l', text('LABELS', 'Nodes of the cluster: role=worker,zone=a')),
  allNodes: flag('Every node of the cluster'),
} as const;

export type ManyNodeOptions = ValuesOf<typeof manyNodeOptions>;

/** manyNodesText says which nodes are meant where wantsManyNodes, for a question. */
export function manyNodesText({ nodes, selector }: ManyNodeOptions): string {
  if (nodes !== undefined) return `nodes ${nodes}`;
  return selector === undefined ? 'every node of the cluster' : `the nodes with ${selector}`;
}

/** wantsManyNodes tells whether more than the one node of the context is meant. */
export function wantsManyNodes({ nodes, selector, allNodes }: ManyNodeOptions): boolean {
  return nodes !== undefined || selector !== undefined || allNodes;
}
