/**
 * How an API server is doing: ready takes calls; unready answers but says it is not ready; dead does not answer; unknown
 * was not looked at yet.
 */
export type Health = 'unknown' | 'ready' | 'unready' | 'dead';

/** What was seen of a server: by a probe, or by a connection of a client that could or could not be made. */
export type Sight = 'ready' | 'unready' | 'no-answer' | 'refused' | 'connected';

export interface ServerState {
  readonly health: Health;
  /** Probes in a row without an answer. */
  readonly misses: number;
}

export const UNSEEN: ServerState = { health: 'unknown', misses: 0 };

/** One slow answer of a loaded server is not yet a dead one; its connections would all be cut. */
const MISSES_TO_DIE = 2;

/** nextState is the state of a server after something was seen of it. */
export function nextState(state: ServerState, sight: Sight): ServerState {
  switch (sight) {
    case 'ready':
      return { health: 'ready', misses: 0 };
    case 'unready':
      return { health: 'unready', misses: 0 };
    case 'refused':
      return { health: 'dead', misses: MISSES_TO_DIE };
    case 'connected':
      // A connection proves a listener, not a ready server; only a probe makes it ready.
      return state.health === 'dead' ? { health: 'unready', misses: 0 } : { ...state, misses: 0 };
    case 'no-answer': {
      const misses = Math.min(state.misses + 1, MISSES_TO_DIE);
      return { health: misses >= MISSES_TO_DIE ? 'dead' : state.health, misses };
    }
  }
}

const RANKS: Readonly<Record<Health, number>> = { ready: 0, unknown: 1, unready: 2, dead: 3 };

/**
 * orderServers gives the servers in the order to try them: by health, the node's own first among equals, the rest from
 * `turn` on in a circle. The dead come last and are tried too: what was seen may be old.
 */
export function orderServers(
  servers: readonly string[],
  healthOf: (server: string) => Health,
  { own, turn }: { readonly own: string | undefined; readonly turn: number },
): readonly string[] {
  const rank = (server: string) => RANKS[healthOf(server)] * 2 + (server === own ? 0 : 1);
  return servers
    .map((_, index) => servers[(index + turn) % servers.length] ?? '')
    .sort((left, right) => rank(left) - rank(right));
}
