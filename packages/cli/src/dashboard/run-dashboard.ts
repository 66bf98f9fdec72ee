import type { NodeClient } from '@plinth/api';
import type { Terminal } from '../framework/terminal.ts';
import type { Style } from '../output/style.ts';
import { type AskParts, followLogs, openAskLoop } from './ask-loop.ts';
import { drawChanges, ENTER, LEAVE, renderLine } from './draw-changes.ts';
import { clampScroll, drawFrame, panelRows } from './frame.ts';
import { decodeKeys } from './keys.ts';
import { firstState, pressKey } from './state.ts';

/** How often the clock of the title moves and it is looked at what is due. */
const TICK_MS = 250;

export interface DashboardOptions {
  readonly node: NodeClient;
  readonly context: string;
  readonly terminal: Terminal;
  readonly style: Style;
  readonly signal: AbortSignal;
  readonly nowMs?: () => number;
}

/**
 * runDashboard shows the node until the reader quits or the signal aborts, and leaves the terminal as it found it. A panel
 * whose source does not answer says so and asks again; it throws only what is a fault of its own.
 */
export async function runDashboard(options: DashboardOptions): Promise<void> {
  const { node, terminal, style, nowMs = Date.now } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, options.signal]);
  let state = firstState(options.context, nowMs());
  let screen: readonly string[] | undefined;
  const draw = () => {
    if (signal.aborted) return;
    const picture = drawFrame(state, terminal.size()).map((line) => renderLine(line, style));
    const text = drawChanges(screen, picture);
    screen = picture;
    if (text !== '') terminal.write(text);
  };
  let drawing: NodeJS.Immediate | undefined;
  // Many entries of a log may come at once: one picture for all of them.
  const drawSoon = () => {
    drawing ??= setImmediate(() => {
      drawing = undefined;
      draw();
    });
  };
  const parts: AskParts = {
    ...{ node, nowMs, signal },
    state: () => state,
    change: (to) => {
      state = { ...state, data: to(state.data) };
      drawSoon();
    },
  };
  const askWhatIsDue = openAskLoop(parts);
  const session = terminal.takeOver({ enter: ENTER, leave: LEAVE });
  const tick = setInterval(() => {
    state = { ...state, nowMs: nowMs() };
    askWhatIsDue();
    drawSoon();
  }, TICK_MS);
  try {
    session.onKeys((text) => {
      for (const key of decodeKeys(text)) state = pressKey(state, key, panelRows(terminal.size()));
      if (state.quit) return stop.abort();
      state = clampScroll(state, terminal.size());
      askWhatIsDue();
      draw();
    });
    session.onResize(() => {
      screen = undefined;
      draw();
    });
    askWhatIsDue();
    draw();
    void followLogs(parts);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    clearInterval(tick);
    if (drawing) clearImmediate(drawing);
    stop.abort();
    session.end();
  }
}
