import { PlinthError, type Progress } from '@plinth/base';

/** How a step ended. */
export type StepEnd = 'done' | 'cached' | 'failed' | 'interrupted';

interface StepEvent {
  readonly id: number;
  /** 0 stands for the command itself. */
  readonly parentId: number;
  readonly title: string;
  /** Since the start of the command. */
  readonly atMs: number;
}

/** What renderers draw from. Ids are unique within one command. */
export type ProgressEvent =
  | ({ readonly type: 'start' } & StepEvent)
  | ({ readonly type: 'note'; readonly text: string } & StepEvent)
  | ({ readonly type: 'warning'; readonly text: string } & StepEvent)
  | ({ readonly type: 'end'; readonly end: StepEnd; readonly durationMs: number } & StepEvent);

export interface ProgressRenderer {
  readonly on: (event: ProgressEvent) => void;
  /** Draws the last state and gives the terminal back; nothing is drawn after. */
  readonly close: () => void;
  /** Leaves the terminal to `work`, then draws again. */
  readonly suspend: <T>(work: () => Promise<T>) => Promise<T>;
}

/** createProgress turns steps into events with ids, parents and times. @param signal aborted by Ctrl-C */
export function createProgress(
  on: (event: ProgressEvent) => void,
  nowMs: () => number,
  signal?: AbortSignal,
): Progress {
  const startedMs = nowMs();
  let lastId = 0;

  function below(parentId: number, self: { id: number; title: string; endsAs: StepEnd }): Progress {
    const common = () => ({
      id: self.id,
      parentId,
      title: self.title,
      atMs: Math.round(nowMs() - startedMs),
    });
    return {
      step: async (title, work) => {
        const step = { id: ++lastId, title, endsAs: 'done' as StepEnd };
        const at = () => ({ id: step.id, parentId: self.id, title, atMs: Math.round(nowMs() - startedMs) });
        const start = at();
        on({ type: 'start', ...start });
        try {
          return await work(below(self.id, step));
        } catch (reason) {
          // Ctrl-C reaches the programs we started as well; what they then report is no failure of theirs.
          const interrupted =
            signal?.aborted || (reason instanceof PlinthError && reason.code === 'cli/interrupted');
          step.endsAs = interrupted ? 'interrupted' : 'failed';
          throw reason;
        } finally {
          const end = at();
          on({ type: 'end', ...end, end: step.endsAs, durationMs: end.atMs - start.atMs });
        }
      },
      note: (text) => on({ type: 'note', ...common(), text }),
      cached: (reason) => {
        self.endsAs = 'cached';
        on({ type: 'note', ...common(), text: reason });
      },
      warn: (message) => on({ type: 'warning', ...common(), text: message }),
    };
  }
  return below(0, { id: 0, title: '', endsAs: 'done' });
}
