import { parentPort, workerData } from 'node:worker_threads';
import { evaluateCel } from './evaluate-cel.ts';

/** What the thread is given, and all it has: one question. */
export interface CelQuestion {
  readonly expression: string;
  /** The object as JSON. */
  readonly text: string;
}

// A question of its own thread: an expression that takes too long, or too much memory, is ended with it.
if (parentPort) {
  parentPort.postMessage('ready');
  const { expression, text } = workerData as CelQuestion;
  parentPort.postMessage(evaluateCel(expression, text));
}
