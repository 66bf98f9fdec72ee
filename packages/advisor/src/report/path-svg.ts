import type { DecisionPath } from './decision-path.ts';
import { escapeMarkup } from './html.ts';

const WIDTH = 760;
const LEFT = { x: 10, width: 400 };
const RIGHT = { x: 450, width: 300 };
const LINE_HEIGHT = 18;
const PADDING = 10;
const GAP = 26;
/** Of a proportional font at 13 pixels, on the wide side, so that nothing runs over. */
const CHAR_WIDTH = 7;

interface Row {
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly strong?: boolean;
}

/** pathSvg draws the path as a column of answers, with what each takes out beside it. It needs no script and no font. */
export function pathSvg(path: DecisionPath): string {
  const rows: Row[] = [
    box(`${path.all} systems on ${path.asOf}`, path.outFirst),
    ...path.steps.map(({ question, answer, out, left }) => ({
      left: [...wrap(question, LEFT.width), ...wrap(`→ ${answer} (${left} left)`, LEFT.width)],
      right: out.length === 0 ? [] : wrap(`out: ${out.join(', ')}`, RIGHT.width),
    })),
    { ...box(path.first.length > 0 ? path.first.join(' or ') : 'none fits', []), strong: true },
  ];
  let y = PADDING;
  const shapes = rows.map((row, i) => {
    const height = Math.max(row.left.length, row.right.length) * LINE_HEIGHT + 2 * PADDING;
    const shape = drawRow(row, y, height, i < rows.length - 1);
    y += height + GAP;
    return shape;
  });
  const height = y - GAP + PADDING;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeMarkup(spoken(path))}" font-family="sans-serif" font-size="13" fill="none" stroke="#888">`,
    ...shapes,
    '</svg>',
  ].join('\n');
}

function box(text: string, out: readonly string[]): Row {
  return {
    left: wrap(text, LEFT.width),
    right: out.length === 0 ? [] : wrap(`out: ${out.join(', ')}`, RIGHT.width),
  };
}

function drawRow({ left, right, strong }: Row, y: number, height: number, arrow: boolean): string {
  const middle = LEFT.x + LEFT.width / 2;
  const parts = [
    rect(LEFT, y, height, strong ? 2 : 1),
    ...texts(left, LEFT.x, y, strong === true),
    ...(arrow ? [`<path d="M${middle} ${y + height} v${GAP - 1} m-4 -6 l4 6 l4 -6"/>`] : []),
  ];
  if (right.length > 0) {
    const at = y + height / 2;
    parts.push(`<path d="M${LEFT.x + LEFT.width} ${at} H${RIGHT.x}" stroke-dasharray="4 3"/>`);
    parts.push(...texts(right, RIGHT.x, y, false));
  }
  return parts.join('\n');
}

function rect({ x, width }: typeof LEFT, y: number, height: number, stroke: number): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" stroke-width="${stroke}"/>`;
}

function texts(lines: readonly string[], x: number, y: number, strong: boolean): string[] {
  return lines.map(
    (line, i) =>
      `<text x="${x + PADDING}" y="${y + PADDING + 13 + i * LINE_HEIGHT}" stroke="none" fill="currentColor"${strong ? ' font-weight="bold"' : ''}>${escapeMarkup(line)}</text>`,
  );
}

function wrap(text: string, width: number): string[] {
  const most = Math.floor((width - 2 * PADDING) / CHAR_WIDTH);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function spoken({ asOf, all, steps, first }: DecisionPath): string {
  const answers = steps.map(({ question, answer }) => `${question} ${answer}.`).join(' ');
  return `Decision path on ${asOf}: ${all} systems. ${answers} ${first.length > 0 ? `First: ${first.join(' or ')}.` : 'None fits.'}`;
}
