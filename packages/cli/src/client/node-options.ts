import type { NodeClient } from '@plinth/api';
import { flag, integer, text, type ValuesOf } from '../framework/options.ts';

const seconds = { min: 1, max: 600, fallback: 20 };

/** The bound of a command whose answer has none: it is a stream. */
export const reachTimeout = integer('SECONDS', seconds, 'Bound on reaching it');

/** The bound of a command that asks nodes only when it is told to. */
export const nodesTimeout = integer('SECONDS', seconds, 'Of nodes: bound on each answer');

/** Options of every command that asks a node. */
export const nodeOptions = {
  context: text('NAME', 'Which node; default: $PLINTH_CONTEXT or the current'),
  timeout: integer('SECONDS', seconds, 'Bound on reaching it, and on its answer'),
  exitCode: flag('End with 3 unless every verdict is "pass"'),
} as const;

/** Options of every command that works on one node, which may be another one of the cluster than the context's. */
export const oneNodeOptions = {
  node: text('NAME', 'Another node of the cluster, by its name'),
  context: nodeOptions.context,
  timeout: nodeOptions.timeout,
} as const;

export type OneNodeOptions = ValuesOf<typeof oneNodeOptions>;

export type NodeOptions = ValuesOf<typeof nodeOptions> & {
  /** The node itself, where it is connected already; see showOnNodes. */
  readonly node?: NodeClient;
};
