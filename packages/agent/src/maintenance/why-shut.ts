import type { StateStore } from '../sys/state-store.ts';
import { errorCode } from '../sys/sys.ts';

/** What is on the disk of a node that ever had a config; only a reset of the node takes it away. */
const TRACES = ['machine-config', 'config/state.json', 'config/state.json.unusable'] as const;

/**
 * hadConfig tells whether the node ever had a config. Throws what the store throws: a node that cannot know does not count
 * as one that had none.
 */
export async function hadConfig(store: StateStore): Promise<boolean> {
  for (const name of TRACES) if ((await store.read(name)) !== undefined) return true;
  return false;
}

/**
 * whyShut tells why a node in maintenance takes no config from callers without a certificate; undefined when it does. The
 * door is for a node that never had a config: one that had has an owner, also where its config can no longer be used.
 */
export async function whyShut(
  store: StateStore,
  found: { readonly cloudSilent?: boolean | undefined },
): Promise<string | undefined> {
  if (store.volatileBecause !== undefined)
    return `whether it had a config is not known: ${store.volatileBecause}`;
  try {
    if (await hadConfig(store))
      return 'it had a config before; give it one where the machine is defined, or reset it';
  } catch (reason) {
    return `whether it had a config is not known: ${errorCode(reason) || reason}`;
  }
  return found.cloudSilent
    ? 'its cloud, or the server that it is told of, may have one and does not answer'
    : undefined;
}
