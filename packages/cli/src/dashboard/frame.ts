import { durationMs } from '../client/duration.ts';
import { healthWord } from '../client/health-word.ts';
import { formatDuration } from '../output/units.ts';
import { cellCount, fitLine, harmless, type Line, lineText, type Span } from './cells.ts';
import type { Source } from './data.ts';
import { integrityPanel, logsPanel, networkPanel, servicesPanel, slotsPanel } from './node-panels.ts';
import { type DashboardState, limitScroll, type Panel, panels } from './state.ts';
import { healthMark, summaryPanel } from './summary-panel.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Rows around the panel: title, tabs, rule, footer. Where they would leave too little, they go one after the other. */
const AROUND = 4;
const SMALLEST_PANEL = 2;

/** Which source stands behind a panel; the summary has several. */
export const PANEL_SOURCES: Readonly<Record<Panel, readonly (Source | 'logs')[]>> = {
  summary: ['identity', 'versions', 'health', 'integrity', 'boot', 'kubernetes', 'resources'],
  services: ['services'],
  slots: ['slots', 'update'],
  integrity: ['integrity'],
  logs: ['logs'],
  network: ['network'],
};

/** panelRows is how many rows of a terminal the panel has. */
export function panelRows({ rows }: Size): number {
  return Math.max(1, rows - Math.min(AROUND, Math.max(0, rows - SMALLEST_PANEL)));
}

/** drawFrame gives the picture: as many lines as the terminal has, none wider. Pure. */
export function drawFrame(state: DashboardState, size: Size): readonly Line[] {
  const { columns, rows } = size;
  const height = panelRows(size);
  const all = state.help ? HELP : panelLines(state, columns);
  const { scroll } = state.help ? { scroll: 0 } : limitScroll(state, all.length, height);
  const first = state.panel === 'logs' && !state.help ? Math.max(0, all.length - height - scroll) : scroll;
  const shown = all.slice(first, first + height);
  const body = [...shown, ...Array.from({ length: height - shown.length }, (): Line => [])];
  const around = rows - height;
  const rule: Line = [{ text: '-'.repeat(columns), mark: 'faint' }];
  const position = all.length > height ? `${first + 1}-${first + shown.length} of ${all.length}` : '';
  const picture = [
    ...(around >= 3 ? [titleLine(state, columns)] : []),
    ...(around >= 1 ? [tabsLine(state, columns)] : []),
    ...(around >= 4 ? [rule] : []),
    ...body,
    ...(around >= 2 ? [footerLine(state, position, columns)] : []),
  ];
  return picture.slice(0, rows).map((line) => fitLine(line, columns));
}

/** clampScroll keeps the state's position within the panel. Pure. */
export function clampScroll(state: DashboardState, size: Size): DashboardState {
  return limitScroll(state, panelLines(state, size.columns).length, panelRows(size));
}

function panelLines({ panel, data }: DashboardState, columns: number): readonly Line[] {
  switch (panel) {
    case 'summary':
      return summaryPanel(data, columns);
    case 'services':
      return servicesPanel(data, columns);
    case 'slots':
      return slotsPanel(data, columns);
    case 'integrity':
      return integrityPanel(data, columns);
    case 'logs':
      return logsPanel(data);
    case 'network':
      return networkPanel(data, columns);
  }
}

function titleLine({ data, context, nowMs }: DashboardState, columns: number): Line {
  const name = data.identity?.value?.nodeName || context;
  const health = data.health?.value;
  const left: Span[] = [
    { text: harmless(name), mark: 'strong' },
    { text: '  ' },
    health
      ? { text: healthWord(health.state), mark: healthMark(health.state) }
      : { text: data.health?.problem === undefined ? '...' : 'unknown', mark: 'doubtful' },
    { text: health ? `  up ${formatDuration(durationMs(health.uptime))}` : '', mark: 'faint' },
  ];
  return between(left, new Date(nowMs).toISOString().slice(11, 19), columns);
}

function tabsLine({ panel }: DashboardState, columns: number): Line {
  const tab = (one: Panel, index: number): Span => {
    const title = `${index + 1} ${one}`;
    // Brackets, because a colour alone says nothing to those who see none.
    return one === panel ? { text: `[${title}]`, mark: 'active' } : { text: ` ${title} ` };
  };
  const all = panels.map(tab);
  if (cellCount(lineText(all)) <= columns) return all;
  return [tab(panel, panels.indexOf(panel)), { text: ' Tab: next', mark: 'faint' }];
}

const FULL_FOOTER = 'Tab 1-6 panel  Up Down scroll  r refresh  ? help  q quit';
const SHORT_FOOTER = '? help  q quit';

function footerLine({ panel, data }: DashboardState, position: string, columns: number): Line {
  const silent = PANEL_SOURCES[panel].filter((source) => data[source]?.problem !== undefined);
  const left: Span =
    silent.length > 0
      ? { text: `no answer: ${silent.join(', ')}; shown is what was known`, mark: 'bad' }
      : { text: columns < FULL_FOOTER.length ? SHORT_FOOTER : FULL_FOOTER, mark: 'faint' };
  return between([left], position, columns);
}

/** Something on the left, and something on the right where there is room. */
function between(left: Line, right: string, columns: number): Line {
  const room = columns - cellCount(lineText(left)) - right.length;
  return room < 2 ? left : [...left, { text: ' '.repeat(room) }, { text: right, mark: 'faint' }];
}

const HELP: readonly Line[] = [
  [{ text: 'Keys', mark: 'strong' }],
  ...[
    ['1 to 6', 'a panel by its number'],
    ['Tab, Right, l', 'the next panel'],
    ['Shift-Tab, Left, h', 'the panel before'],
    ['Up, Down, k, j', 'scroll by a line'],
    ['Page Up, Page Down', 'scroll by a page'],
    ['Home, End', 'to the begin, to the end'],
    ['r', 'ask the node now'],
    ['?', 'this page; again or Esc leaves it'],
    ['q, Ctrl-C', 'quit'],
  ].map(([keys = '', what = '']): Line => [{ text: keys.padEnd(20), mark: 'active' }, { text: what }]),
  [],
  [{ text: 'Logs are followed while the newest is shown. "unknown" is never fine.', mark: 'faint' }],
];
