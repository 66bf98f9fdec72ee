import type { OutputStream } from '../framework/context.ts';
import { printable } from '../output/printable.ts';
import { formatDuration } from '../output/units.ts';
import type { ProgressEvent, ProgressRenderer, StepEnd } from './events.ts';

/** A log wants signs of life, not each percent: notes of one step come at most this often. */
const NOTE_EVERY_MS = 10_000;

const endWords = {
  done: 'done',
  cached: 'cached',
  failed: 'failed',
  interrupted: 'interrupted',
} as const satisfies Record<StepEnd, string>;

/** createPlainRenderer writes one line when a step starts and one when it ends; each line stands for itself. */
export function createPlainRenderer(stream: OutputStream): ProgressRenderer {
  const titles = new Map<number, string>();
  const notedAtMs = new Map<number, number>();

  function lineFor(event: ProgressEvent): string | undefined {
    const parent = titles.get(event.parentId);
    const title = event.id === 0 ? '' : parent ? `${parent} > ${event.title}` : event.title;
    switch (event.type) {
      case 'start':
        titles.set(event.id, title);
        notedAtMs.set(event.id, event.atMs);
        return `start   ${title}`;
      case 'note': {
        if (event.atMs - (notedAtMs.get(event.id) ?? 0) < NOTE_EVERY_MS) return undefined;
        notedAtMs.set(event.id, event.atMs);
        // A step may have nothing to tell and be at work all the same.
        return `        ${title}: ${event.text || 'still at work'}`;
      }
      case 'warning':
        return `warning ${title ? `${title}: ` : ''}${event.text}`;
      case 'end':
        titles.delete(event.id);
        return `${endWords[event.end].padEnd(7)} ${title} (${formatDuration(event.durationMs)})`;
    }
  }

  return {
    on: (event) => {
      const line = lineFor(event);
      if (line !== undefined) {
        stream.write(`${(event.atMs / 1000).toFixed(1).padStart(6)}s  ${printable(line)}\n`);
      }
    },
    close: () => {},
    suspend: (work) => work(),
  };
}
