import type { Span } from '@plinth/base';
import type { Path } from '../model/json.ts';
import type { KubeObject } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import type { Target } from '../target/target.ts';
import type { Agent, NodeLabel } from './knowledge.ts';

/**
 * block: it will not work; warn: it may not, or loses something; unknown: nobody has read what the target does, so it
 * must be tried; info: it works, and is good to know.
 */
export const severities = ['block', 'warn', 'unknown', 'info'] as const;
export type Severity = (typeof severities)[number];

/** What a rule found in one object. */
export interface RawFinding {
  readonly rule: string;
  /** When it is another than the rule's own. */
  readonly severity?: Severity;
  /** One sentence without a final period: what is done, and what the target makes of it. */
  readonly message: string;
  /** What it is about: a path, a program, a label. With rule, owner and container it makes a finding unique. */
  readonly subject: string;
  /** The way to the very field. */
  readonly path: Path;
  /** Lines below the field's first, in a text of many lines. */
  readonly linesBelow?: number;
  readonly container?: string;
  /** When it is not the owner of the object that the finding is counted for. */
  readonly owner?: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** What to do, when it is another thing than the rule's own. */
  readonly fix?: string;
  /** Which fact of the target it rests on. */
  readonly fact?: string;
}

/** What rules know beside the object they look at. */
export interface Knowledge {
  readonly target: Target;
  readonly agents: readonly Agent[];
  readonly labels: readonly NodeLabel[];
  /** Programs by name, with the packages that ship them: the words that count as programs in scripts. */
  readonly programs: ReadonlyMap<string, readonly string[]>;
}

/** A rule over one object with pods in it. */
export type PodRule = (pod: PodView, known: Knowledge) => RawFinding[];
/** A rule over one object of any kind. */
export type ObjectRule = (object: KubeObject, known: Knowledge) => RawFinding[];

/** Where a finding stands in a file. */
export function placeOf(object: KubeObject, finding: RawFinding): Span | undefined {
  const span = object.locate(finding.path);
  if (span === undefined || finding.linesBelow === undefined) return span;
  // A text of many lines begins below its sign "|"; in any other form it stands on the line of its beginning.
  return span.length <= 3
    ? { ...span, line: span.line + 1 + finding.linesBelow, column: 1, length: 1 }
    : span;
}
