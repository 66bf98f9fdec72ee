import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import type { Step } from './step-tree.ts';

export interface TreeLook {
  readonly style: Style;
  /** Whether the terminal can show more than ASCII. */
  readonly unicode: boolean;
  /** No line is longer: a wrapped line would break redrawing. */
  readonly widthChars: number;
  readonly nowMs: number;
}

const SPINNER = { unicode: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'], ascii: [...'|/-\\'] };
const SPINNER_FRAME_MS = 100;
/** A finished step with more parts than this is one line: the parts were interesting only while they ran. */
const MOST_FINISHED_PARTS = 12;
const DEEPEST = 3;

/** treeLines draws one step and what is below it, a line each. */
export function treeLines(step: Step, look: TreeLook, depth = 0): string[] {
  const own = [
    stepLine(step, look, depth),
    ...step.warnings.map((text) => warningLine(text, look, depth + 1)),
  ];
  return [...own, ...partsOf(step, depth).flatMap((part) => treeLines(part, look, depth + 1))];
}

function partsOf(step: Step, depth: number): readonly Step[] {
  const running = step.end === undefined || step.end.as === 'failed' || step.end.as === 'interrupted';
  if (depth + 1 >= DEEPEST && !running) return [];
  if (running) return step.children;
  const allCached = step.children.every((part) => part.end?.as === 'cached');
  return allCached || step.children.length > MOST_FINISHED_PARTS ? [] : step.children;
}

function stepLine(step: Step, look: TreeLook, depth: number): string {
  const { style } = look;
  const left = `${'  '.repeat(depth)}${symbol(step, look)} `;
  const title = printable(step.title);
  const time = formatDuration(step.end ? step.end.durationMs : Math.max(0, look.nowMs - step.startedMs));
  const shownTime = step.end?.as === 'cached' ? 'cached' : time;
  const note = step.end ? '' : printable(step.note);
  const room = look.widthChars - (depth * 2 + 2) - shownTime.length - 2;
  const cutTitle = cut(title, room);
  const cutNote = note === '' ? '' : cut(note, room - cutTitle.length - 2);
  const fill = ' '.repeat(Math.max(1, room - cutTitle.length - (cutNote ? cutNote.length + 2 : 0) + 1));
  return `${left}${cutTitle}${cutNote ? `  ${style.faint(cutNote)}` : ''}${fill}${style.faint(shownTime)}`;
}

/** warningLine draws a warning at a depth of the tree. */
export function warningLine(text: string, look: TreeLook, depth: number): string {
  const indent = '  '.repeat(depth);
  return `${indent}${look.style.doubtful('!')} ${cut(printable(text), look.widthChars - indent.length - 3)}`;
}

function symbol(step: Step, look: TreeLook): string {
  const { style, unicode } = look;
  if (step.end === undefined) {
    const frames = unicode ? SPINNER.unicode : SPINNER.ascii;
    return style.active(frames[Math.floor(look.nowMs / SPINNER_FRAME_MS) % frames.length] ?? '');
  }
  switch (step.end.as) {
    case 'done':
      return style.good(unicode ? '✓' : '+');
    case 'cached':
      return style.faint(unicode ? '✓' : '=');
    case 'failed':
      return style.bad(unicode ? '✗' : 'x');
    case 'interrupted':
      return style.doubtful(unicode ? '■' : '#');
  }
}

function cut(text: string, room: number): string {
  const chars = [...text];
  if (chars.length <= room) return text;
  return room < 2 ? '' : `${chars.slice(0, room - 1).join('')}…`;
}
