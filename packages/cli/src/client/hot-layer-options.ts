import { integer } from '../framework/options.ts';
import { nodeOptions } from './node-options.ts';

/** Options of the commands that follow a hot layer. */
export const hotLayerWait = {
  context: nodeOptions.context,
  timeout: integer('SECONDS', { min: 10, max: 3600, fallback: 600 }, 'How long to wait; the node goes on'),
} as const;
