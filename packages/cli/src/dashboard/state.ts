import type { DashboardData } from './data.ts';
import type { Key } from './keys.ts';

/** The panels, in the order of their number keys. */
export const panels = ['summary', 'services', 'slots', 'integrity', 'logs', 'network'] as const;
export type Panel = (typeof panels)[number];

/** Everything that decides the picture, apart from the size of the terminal. */
export interface DashboardState {
  readonly panel: Panel;
  readonly help: boolean;
  /** First line shown of the panel; of logs, lines back from the newest. */
  readonly scroll: number;
  readonly data: DashboardData;
  /** What leads to the node, for the title until it has said its name. */
  readonly context: string;
  readonly nowMs: number;
  /** Counts the wishes for fresh answers. */
  readonly refresh: number;
  readonly quit: boolean;
}

/** firstState is the picture before anything is known. */
export function firstState(context: string, nowMs: number): DashboardState {
  const rest = { help: false, scroll: 0, refresh: 0, quit: false } as const;
  return { panel: 'summary', data: {}, context, nowMs, ...rest };
}

/** pressKey is what a key does. Pure; a key without a meaning gives the same state. @param pageRows rows of the panel */
export function pressKey(state: DashboardState, key: Key, pageRows: number): DashboardState {
  switch (key.kind) {
    case 'interrupt':
      return { ...state, quit: true };
    case 'escape':
      return state.help ? { ...state, help: false } : state;
    case 'digit': {
      const panel = panels[key.value - 1];
      return panel ? show(state, panel) : state;
    }
    case 'next':
      return step(state, 1);
    case 'previous':
      return step(state, -1);
    case 'up':
      return scrolled(state, -1);
    case 'down':
      return scrolled(state, 1);
    case 'page-up':
      return scrolled(state, -Math.max(1, pageRows - 1));
    case 'page-down':
      return scrolled(state, Math.max(1, pageRows - 1));
    case 'home':
      return state.panel === 'logs' ? scrolled(state, -END) : { ...state, scroll: 0 };
    case 'end':
      return state.panel === 'logs' ? { ...state, scroll: 0 } : scrolled(state, END);
    case 'letter':
      return pressLetter(state, key.value);
    case 'other':
      return state;
  }
}

/** Further than any panel is long; the picture stops at its end. */
const END = 1_000_000;

function pressLetter(state: DashboardState, letter: string): DashboardState {
  switch (letter) {
    case 'q':
      return { ...state, quit: true };
    case '?':
      return { ...state, help: !state.help };
    case 'r':
      return { ...state, refresh: state.refresh + 1 };
    case 'l':
      return step(state, 1);
    case 'h':
      return step(state, -1);
    case 'j':
      return scrolled(state, 1);
    case 'k':
      return scrolled(state, -1);
    default:
      return state;
  }
}

function step(state: DashboardState, by: number): DashboardState {
  const next = panels[(panels.indexOf(state.panel) + by + panels.length) % panels.length];
  return next ? show(state, next) : state;
}

function show(state: DashboardState, panel: Panel): DashboardState {
  return { ...state, panel, help: false, scroll: panel === state.panel ? state.scroll : 0 };
}

/** Logs are read from the newest upwards, everything else from the top. */
function scrolled(state: DashboardState, by: number): DashboardState {
  const scroll = Math.max(0, state.scroll + (state.panel === 'logs' ? -by : by));
  return { ...state, scroll: Math.min(scroll, END) };
}

/** limitScroll keeps the position within what there is, so that the way back is not longer than the way there. Pure. */
export function limitScroll(state: DashboardState, lines: number, pageRows: number): DashboardState {
  const most = Math.max(0, lines - Math.max(1, pageRows));
  return state.scroll <= most ? state : { ...state, scroll: most };
}
