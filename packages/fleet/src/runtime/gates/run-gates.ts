import { durationMs, type GateResult, type GateSpec } from '../../objects/index.ts';
import type { Stored } from '../../view/view.ts';
import type { Wait } from '../queue/wait.ts';
import type { Answer } from './answer.ts';
import type { AskGate } from './ask-gate.ts';

export interface GatesParts {
  readonly gates: ReadonlyMap<string, Stored<GateSpec, never>>;
  /** Gates that some policy names. */
  used(): ReadonlySet<string>;
  readonly nowMs: () => number;
  readonly wait: Wait;
  /** A gate says something else than before. */
  changed(gate: string): void;
  readonly ask: AskGate;
}

const EVERY_MS = 15_000;

/**
 * settle is what counts of what a gate says: it fails only once it has failed for `failFor`, and passes at once; nobody can tell: at once too; pure.
 * @param failingSinceMs since when it has not passed; undefined: it did
 */
export function settle(
  answer: Answer,
  before: GateResult | undefined,
  failingSinceMs: number,
  failForMs: number,
  nowMs: number,
): Answer {
  const isBrief = answer.state === 'fail' && nowMs - failingSinceMs < failForMs;
  return isBrief && before?.state === 'pass' ? { state: 'pass', reason: before.reason } : answer;
}

/** openGates asks the gates that policies name, again and again. */
export function openGates({ gates, used, nowMs, wait, changed, ask }: GatesParts) {
  const results = new Map<string, GateResult>();
  const failingSinceMs = new Map<string, number>();
  async function look(name: string, signal: AbortSignal): Promise<void> {
    const gate = gates.get(name);
    if (!gate) return void results.delete(name);
    const answer = await ask(gate, signal);
    if (signal.aborted) return;
    const atMs = nowMs();
    if (answer.state === 'pass') failingSinceMs.delete(name);
    else if (!failingSinceMs.has(name)) failingSinceMs.set(name, atMs);
    const before = results.get(name);
    const now = settle(answer, before, failingSinceMs.get(name) ?? atMs, durationMs(gate.spec.failFor), atMs);
    results.set(name, { gate: name, ...now, atMs });
    if (before?.state !== now.state) changed(name);
  }
  return {
    results: results as ReadonlyMap<string, GateResult>,
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        const names = used();
        for (const name of results.keys()) if (!names.has(name)) results.delete(name);
        await Promise.all([...names].map((name) => look(name, signal)));
        await wait(EVERY_MS, signal);
      }
    },
  };
}
