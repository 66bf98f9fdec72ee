import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import { wrapText } from '../output/wrap-text.ts';
import type { Step } from './step-tree.ts';

export interface TreeLook {
  readonly style: Style;
  /** Whether the terminal can show more than ASCII. */
  readonly unicode: boolean;
  /** No line is longer: a wrapped line would break redrawing. */
  readonly widthChars: number;
  /** A step with more parts than this shows only some of them. */
  readonly mostParts: number;
  readonly nowMs: number;
}

const SPINNER = { unicode: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'], ascii: [...'|/-\\'] };
const SPINNER_FRAME_MS = 100;
/** Parts of a finished step are shown down to this depth. */
const DEEPEST = 3;

/** treeLines draws one step and what is below it, a line each. */
export function treeLines(step: Step, look: TreeLook, depth = 0): string[] {
  const { shown, hiddenCount } = partsOf(step, look, depth);
  return [
    stepLine(step, look, depth),
    ...step.warnings.flatMap((text) => warningLines(text, look, depth + 1)),
    ...(hiddenCount > 0 ? [`${'  '.repeat(depth + 1)}${look.style.faint(`… ${hiddenCount} more`)}`] : []),
    ...shown.flatMap((part) => treeLines(part, look, depth + 1)),
  ];
}

/** What is worth a line: all parts while they are few; else those at work, and the one that broke. */
function partsOf(step: Step, look: TreeLook, depth: number): { shown: readonly Step[]; hiddenCount: number } {
  const parts = step.children;
  if (isOpen(step)) {
    if (parts.length <= look.mostParts) return { shown: parts, hiddenCount: 0 };
    const shown = parts.filter(isOpen).slice(0, look.mostParts - 1);
    return { shown, hiddenCount: parts.length - shown.length };
  }
  const boring = parts.every((part) => part.end?.as === 'cached') || parts.length > look.mostParts;
  return { shown: boring || depth + 1 >= DEEPEST ? [] : parts, hiddenCount: 0 };
}

/** Still running, or ended in a way that must be looked at. */
function isOpen({ end }: Step): boolean {
  return end === undefined || end.as === 'failed' || end.as === 'interrupted';
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
  const used = cutTitle.length + (cutNote ? cutNote.length + 2 : 0);
  const fill = ' '.repeat(Math.max(0, room - used) + 2);
  return `${left}${cutTitle}${cutNote ? `  ${style.faint(cutNote)}` : ''}${fill}${style.faint(shownTime)}`;
}

/** warningLines draws a warning at a depth of the tree; it is wrapped, not cut, because somebody must read it. */
export function warningLines(text: string, look: TreeLook, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const [first = '', ...rest] = wrapText(printable(text), look.widthChars - indent.length - 2);
  return [`${indent}${look.style.doubtful('!')} ${first}`, ...rest.map((line) => `${indent}  ${line}`)];
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
