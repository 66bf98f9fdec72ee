import type { StateStore } from '../../sys/state-store.ts';

/**
 * keptStore goes on when the disk takes nothing, as a full /var does: what could not be written is kept in memory until it can. A node
 * whose /var is full needs an update the more. Nothing is removed through it.
 */
export function keptStore<Store extends Pick<StateStore, 'read' | 'write'>>(store: Store): Store {
  const kept = new Map<string, Buffer>();
  return {
    ...store,
    read: async (name: string) => kept.get(name) ?? store.read(name),
    async write(name: string, data: Uint8Array) {
      try {
        await store.write(name, data);
        kept.delete(name);
      } catch {
        kept.set(name, Buffer.from(data));
      }
    },
  };
}
