import type { ProgressEvent, StepEnd } from './events.ts';

/** A step as it stands now. */
export interface Step {
  readonly id: number;
  readonly title: string;
  readonly startedMs: number;
  readonly children: readonly Step[];
  readonly note: string;
  readonly warnings: readonly string[];
  /** Absent while it runs. */
  readonly end?: { readonly as: StepEnd; readonly durationMs: number };
}

interface MutableStep extends Step {
  children: MutableStep[];
  note: string;
  warnings: string[];
  end?: { readonly as: StepEnd; readonly durationMs: number };
}

/** The steps of one command, built up from its events. */
export interface StepTree {
  readonly root: Step;
  readonly apply: (event: ProgressEvent) => void;
  /** Forgets a finished step directly below the root, once it is written for good. */
  readonly release: (id: number) => void;
}

/** createStepTree starts with nothing but the command itself. */
export function createStepTree(): StepTree {
  const root = newStep(0, '', 0);
  const steps = new Map<number, MutableStep>([[0, root]]);
  return {
    root,
    apply: (event) => {
      if (event.type === 'start') {
        const step = newStep(event.id, event.title, event.atMs);
        steps.set(event.id, step);
        steps.get(event.parentId)?.children.push(step);
        return;
      }
      const step = steps.get(event.id);
      if (!step) return;
      if (event.type === 'note') step.note = event.text;
      else if (event.type === 'warning') step.warnings.push(event.text);
      else step.end = { as: event.end, durationMs: event.durationMs };
    },
    release: (id) => {
      root.children = root.children.filter((child) => child.id !== id);
    },
  };
}

function newStep(id: number, title: string, startedMs: number): MutableStep {
  return { id, title, startedMs, children: [], note: '', warnings: [] };
}
