import type { Method } from './move-schema.ts';

/** How long a move takes, and what that rests on. */
export interface Estimate {
  readonly minutes: number;
  /** Only machines are counted: moving workloads to another cluster is not. */
  readonly machinesOnly: boolean;
  /** When every node takes its whole drain timeout. */
  readonly worstMinutes: number | undefined;
  readonly assumptions: readonly string[];
}

/** What an estimate is made from. */
export interface EstimateInput {
  /** Undefined when nobody told: then it is counted for one. */
  readonly nodes: number | undefined;
  /** Nodes at once: "33%", "2"; undefined: one. */
  readonly surge: string | undefined;
  readonly soakMinutes: number;
  /** Minutes after which draining is given up; undefined when the platform tells none. */
  readonly drainTimeoutMinutes: number | undefined;
  /** What draining a node takes; undefined: what the method assumes. */
  readonly drainMinutes: number | undefined;
}

/** nodesAtOnce turns a surge into a number of nodes: a percentage is rounded up, as the platforms do; one at least. */
export function nodesAtOnce(surge: string | undefined, nodes: number): number {
  const [, number = '1', percent] = /^(\d+)(%?)$/.exec(surge?.trim() ?? '') ?? [];
  const count = percent === '%' ? Math.ceil((nodes * Number(number)) / 100) : Number(number);
  return Math.max(1, Math.min(count, Math.max(1, nodes)));
}

/** estimate counts rounds of as many nodes as may move at once, each starting, draining and soaking. */
export function estimate({ time }: Pick<Method, 'time'>, input: EstimateInput): Estimate {
  const nodes = input.nodes ?? 1;
  const count = `${input.nodes === undefined ? 'the number of nodes is not told; for one' : nodes} node${nodes === 1 ? '' : 's'}`;
  const start = time.nodeStartSeconds / 60;
  const last = 'tests before and the weeks of watching are not counted';
  if (time.drainMinutes === undefined)
    return {
      minutes: Math.ceil(start),
      machinesOnly: true,
      worstMinutes: undefined,
      assumptions: [`${count}: all start together, ${time.nodeStartSeconds} s each`, time.says, last],
    };
  const atOnce = time.together ? 1 : nodesAtOnce(input.surge, nodes);
  const rounds = Math.ceil(nodes / atOnce);
  // Nobody soaks nodes that are drained by hand.
  const soak = time.together ? 0 : input.soakMinutes;
  const drain = input.drainMinutes ?? time.drainMinutes;
  const starts = time.together ? 1 : rounds;
  const total = (each: number) => Math.ceil(starts * start + rounds * (each + soak));
  return {
    minutes: total(drain),
    machinesOnly: false,
    worstMinutes:
      input.drainTimeoutMinutes === undefined || time.together
        ? undefined
        : total(Math.max(drain, input.drainTimeoutMinutes)),
    assumptions: [
      time.together
        ? `${count}: new ones start together, old ones are left one by one`
        : `${count}, ${atOnce} at once: ${rounds} round${rounds === 1 ? '' : 's'}`,
      `${time.nodeStartSeconds} s for a node to start, ${drain} min to drain it${input.drainMinutes === undefined ? ' (assumed)' : ''}, ${soak} min soak`,
      time.says,
      last,
    ],
  };
}
