import type { StoredNodeUpdate } from '../view/view.ts';

/**
 * driftOf names what is not as the release of a node has it, though the node was brought to it: values of its machine config that somebody
 * changed since, and files that are not as its config says. Empty: nothing, or the release has no config.
 */
export function driftOf({ status }: StoredNodeUpdate): readonly string[] {
  const config = status?.node?.config;
  if (!config || status.progress?.phase !== 'Done') return [];
  return [...(config.state === 'Due' ? config.changes : []), ...config.drift];
}
