import { Code, ConnectError } from '@connectrpc/connect';

/** How many calls of one sort may be at work at once. */
export interface BudgetLimits {
  /** Of all clients together, as long as each of them has one at work already. */
  readonly total: number;
  /** Beyond `total`, for clients that have none at work: whoever fills the budget cannot shut others out. */
  readonly reserve: number;
  readonly perClient: number;
  /** Calls of one client that wait for their turn; more are refused. */
  readonly waitingPerClient: number;
  readonly waitMs: number;
}

/** A budget of calls, shared fairly between clients. */
export interface Budget {
  /** Waits for a place; gives what frees it. Throws ConnectError resource_exhausted, or the signal's reason. */
  enter(client: string, signal: AbortSignal): Promise<() => void>;
  readonly running: number;
}

interface Waiting {
  readonly client: string;
  readonly begin: () => void;
}

/** openBudget makes a budget. Of the calls that wait, the one whose client has the fewest at work comes first. */
export function openBudget(limits: BudgetLimits): Budget {
  const atWork = new Map<string, number>();
  let queue: readonly Waiting[] = [];
  let total = 0;

  const of = (client: string) => atWork.get(client) ?? 0;
  const fits = (client: string) =>
    of(client) < limits.perClient &&
    total < (of(client) === 0 ? limits.total + limits.reserve : limits.total);

  const begin = (client: string) => {
    total++;
    atWork.set(client, of(client) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      total--;
      if (of(client) > 1) atWork.set(client, of(client) - 1);
      else atWork.delete(client);
      admitWaiting();
    };
  };

  const admitWaiting = () => {
    const ready = queue.filter(({ client }) => fits(client));
    const [first, ...others] = ready;
    if (!first) return;
    const next = others.reduce((best, each) => (of(each.client) < of(best.client) ? each : best), first);
    queue = queue.filter((each) => each !== next);
    next.begin();
    admitWaiting();
  };

  return {
    get running() {
      return total;
    },
    async enter(client, signal) {
      signal.throwIfAborted();
      if (fits(client)) return begin(client);
      if (queue.filter((each) => each.client === client).length >= limits.waitingPerClient)
        throw exhausted(`this client has ${of(client)} calls at work and as many wait as may`);
      return new Promise((resolve, reject) => {
        const forget = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          queue = queue.filter((each) => each !== waiting);
        };
        const abort = () => {
          forget();
          reject(signal.reason);
        };
        const waiting: Waiting = {
          client,
          begin: () => {
            forget();
            resolve(begin(client));
          },
        };
        const timer = setTimeout(() => {
          forget();
          reject(exhausted(`no place became free in ${limits.waitMs} ms`));
        }, limits.waitMs);
        signal.addEventListener('abort', abort, { once: true });
        queue = [...queue, waiting];
      });
    },
  };
}

function exhausted(state: string): ConnectError {
  return new ConnectError(`too many calls at once: ${state}`, Code.ResourceExhausted);
}
