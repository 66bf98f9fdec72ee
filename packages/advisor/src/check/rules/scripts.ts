import { mapAt, type Path } from '../model/json.ts';
import type { KubeObject } from '../model/kube-object.ts';
import type { PodView, Word } from '../model/pod-view.ts';
import { startsOf } from './starts.ts';

/** A text that may be run, and where it stands. */
export interface Script {
  readonly text: string;
  readonly container?: string;
  /** The way to the field that holds a place in the text, and lines below its first. */
  readonly placeOf: (offset: number) => { readonly path: Path; readonly linesBelow?: number };
}

/** More is no script that a person wrote. */
const LONGEST = 512 * 1024;

/** scriptsOf gives the command lines of a pod, each as one text. */
export function scriptsOf(pod: PodView): Script[] {
  return pod.containers.flatMap((container) =>
    startsOf(container).map((words): Script => ({ ...joined(words), container: container.name })),
  );
}

function joined(words: readonly Word[]): Script {
  const starts: number[] = [];
  let text = '';
  for (const word of words) {
    starts.push(text.length);
    text += `${word.text} `;
  }
  return {
    text: text.slice(0, LONGEST),
    placeOf: (offset) => {
      const index = Math.max(
        0,
        starts.findLastIndex((start) => start <= offset),
      );
      return place(words[index]?.path ?? [], words[index]?.text ?? '', offset - (starts[index] ?? 0));
    },
  };
}

/** scriptsIn gives the texts of a ConfigMap; those of a Secret are nobody's business. */
export function scriptsIn(object: KubeObject): Script[] {
  if (object.kind !== 'ConfigMap') return [];
  return Object.entries(mapAt(object.value, 'data')).flatMap(([key, text]): Script[] => {
    if (typeof text !== 'string' || text.length > LONGEST) return [];
    return [{ text, placeOf: (offset) => place(['data', key], text, offset) }];
  });
}

function place(path: Path, text: string, offset: number): { path: Path; linesBelow?: number } {
  const lines = text.slice(0, offset).split('\n').length - 1;
  return text.includes('\n') ? { path, linesBelow: lines } : { path };
}

/** A program of the host that a script starts by entering the host. */
export interface HostProgram {
  readonly program: string;
  /** The path it is started by; empty when it is looked for in $PATH. */
  readonly path: string;
  readonly how: 'nsenter' | 'chroot';
  readonly offset: number;
}

/** Flags of nsenter and chroot that take a word of their own; short ones also at the end of a cluster ("-at 1"). */
const TAKES_WORD = /^(?:-[a-zA-Z]*[tSG]|--(?:target|setuid|setgid|userspec|groups))$/;

/** hostProgramsIn finds what a script runs in the name spaces or the root of the host; comments are left out. */
export function hostProgramsIn(text: string): HostProgram[] {
  const found: HostProgram[] = [];
  for (const match of text.matchAll(/(?<![\w./-])(?:\/\S*\/)?(nsenter|chroot)(?=\s)([^\n;|&]*)/g)) {
    const [, how, rest = ''] = match;
    if (/(?:^|\s)(?:#|\/\/)/.test(lineBefore(text, match.index))) continue;
    const words = rest
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/^["'`$({\\]+|["'`)},;\\]+$/g, ''));
    let i = 0;
    while (i < words.length && (words[i] ?? '').startsWith('-')) {
      const word = words[i] ?? '';
      i++;
      if (word === '--') break;
      if (TAKES_WORD.test(word)) i++;
    }
    // The first word after the flags of chroot is the folder.
    if (how === 'chroot') {
      const folder = words[i] ?? '';
      if (!/^(?:\/|\$|\{|[A-Z_]+)/.test(folder)) continue;
      i++;
    }
    const named = words[i] === 'env' || words[i] === 'sudo' ? words[i + 1] : words[i];
    // Without a program both start a shell.
    const program = named === undefined || named === '' ? 'sh' : baseName(named);
    if (/^[\w.+-]+$/.test(program))
      found.push({
        program,
        path: named?.startsWith('/') ? named : '',
        how: how as HostProgram['how'],
        offset: match.index,
      });
  }
  return found;
}

/** lineBefore is what stands before a place on its line. */
export function lineBefore(text: string, offset: number): string {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
}

/** baseName is the last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
