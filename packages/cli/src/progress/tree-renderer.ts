import type { OutputStream } from '../framework/context.ts';
import type { Style } from '../output/style.ts';
import type { ProgressRenderer } from './events.ts';
import { createStepTree } from './step-tree.ts';
import { type TreeLook, treeLines, warningLines } from './tree-lines.ts';

const REDRAW_EVERY_MS = 100;
// ECMA-48: CUU moves up, EL 0 erases to the end of the line, ED 0 to the end of the screen. DECTCEM hides the cursor. DEC mode 2026 holds the
// picture until it is whole; terminals that do not know it ignore it.
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const BEGIN_FRAME = '\u001b[?2026h';
const END_FRAME = '\u001b[?2026l';
const ERASE_LINE = '\u001b[0K';
const ERASE_BELOW = '\u001b[0J';

export interface TreeRendererOptions {
  readonly style: Style;
  readonly unicode: boolean;
  readonly nowMs: () => number;
}

/**
 * createTreeRenderer draws running steps as a tree at the bottom of the terminal and redraws it in place.
 * A finished step below the root is written once and scrolls away with the rest, so the history stays whole.
 */
export function createTreeRenderer(stream: OutputStream, options: TreeRendererOptions): ProgressRenderer {
  const startedMs = options.nowMs();
  const tree = createStepTree();
  const rootWarnings: string[] = [];
  let liveLines = 0;
  let closed = false;
  let suspended = false;

  const look = (): TreeLook => ({
    style: options.style,
    unicode: options.unicode,
    widthChars: (stream.columns ?? 80) - 1,
    mostParts: Math.max(4, Math.floor((stream.rows ?? 24) / 2)),
    nowMs: options.nowMs() - startedMs,
  });

  /** Finished steps at the front of the root: their lines are final. */
  function takeFinished(current: TreeLook): string[] {
    const lines = rootWarnings.splice(0).flatMap((text) => warningLines(text, current, 0));
    for (const step of tree.root.children) {
      if (step.end === undefined) break;
      lines.push(...treeLines(step, current));
      tree.release(step.id);
    }
    return lines;
  }

  function draw(): void {
    const current = look();
    const finished = takeFinished(current);
    const live = fitRows(
      tree.root.children.flatMap((step) => treeLines(step, current)),
      Math.max(1, (stream.rows ?? 24) - 1),
    );
    if (finished.length + live.length + liveLines === 0) return;
    const toTop = liveLines > 0 ? `\u001b[${liveLines}A\r` : '';
    // Each line is overwritten, not erased first: nothing flickers.
    const text = [...finished, ...live].map((line) => `${line}${ERASE_LINE}\n`).join('');
    stream.write(`${BEGIN_FRAME}${HIDE_CURSOR}${toTop}${text}${ERASE_BELOW}${END_FRAME}`);
    liveLines = live.length;
  }

  function giveBack(): void {
    draw();
    stream.write(SHOW_CURSOR);
  }

  const timer = setInterval(() => {
    if (!suspended) draw();
  }, REDRAW_EVERY_MS);
  timer.unref();

  return {
    on: (event) => {
      if (event.type === 'warning' && event.id === 0) rootWarnings.push(event.text);
      else tree.apply(event);
      // Start and end show at once; notes wait for the next frame, however many come.
      if (!closed && !suspended && event.type !== 'note') draw();
    },
    close: () => {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      giveBack();
    },
    suspend: async (work) => {
      giveBack();
      suspended = true;
      try {
        return await work();
      } finally {
        suspended = false;
        // What `work` wrote stays; the tree goes on below it.
        liveLines = 0;
        draw();
      }
    },
  };
}

/** A picture higher than the screen cannot be redrawn: its oldest lines give way to a count. */
function fitRows(lines: readonly string[], rows: number): string[] {
  if (lines.length <= rows) return [...lines];
  const hidden = lines.length - rows + 1;
  return [`  (${hidden} more lines above)`, ...lines.slice(hidden)];
}
