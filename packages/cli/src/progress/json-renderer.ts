import type { OutputStream } from '../framework/context.ts';
import type { ProgressRenderer } from './events.ts';

/** createJsonRenderer writes each event as one line of JSON, for programs that watch. */
export function createJsonRenderer(stream: OutputStream): ProgressRenderer {
  return {
    on: (event) => stream.write(`${JSON.stringify(event)}\n`),
    close: () => {},
    suspend: (work) => work(),
  };
}
