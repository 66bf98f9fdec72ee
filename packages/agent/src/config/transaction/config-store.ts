import { createHash } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import type { StateStore } from '../../sys/state-store.ts';
import { type ConfigState, parseState } from './state.ts';

const STATE = 'config/state.json';

/** hashOf names a text: SHA-256, hexadecimal. */
export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What plinthd remembers of the machine config: one file that decides, and the texts it speaks of. */
export interface ConfigStore {
  /** Undefined when there is none yet. One that cannot be read is put aside, and `damaged` says why. */
  read(): Promise<{ readonly state?: ConfigState; readonly damaged?: string }>;
  /** Replaces the state; then forgets texts that no revision has any more. */
  save(state: ConfigState): Promise<void>;
  /** @throws config/unreadable when it is gone or is not what was stored */
  readText(hash: string): Promise<Buffer>;
  /** Stores a text; to be done before a state speaks of it. */
  putText(bytes: Uint8Array): Promise<void>;
}

/** openConfigStore works on the folder `config` of plinthd's state. */
export function openConfigStore(store: StateStore): ConfigStore {
  let known: ReadonlySet<string> = new Set();
  const nameOf = (hash: string) => `config/${hash}`;
  return {
    async read() {
      const bytes = await store.read(STATE);
      if (!bytes) return {};
      try {
        const state = parseState(bytes.toString('utf8'));
        known = hashesOf(state);
        return { state };
      } catch (reason) {
        await store.setAside(STATE);
        return { damaged: reason instanceof Error ? (reason.message.split('\n')[0] ?? '') : String(reason) };
      }
    },
    async save(state) {
      await store.write(STATE, Buffer.from(`${JSON.stringify(state, undefined, 2)}\n`));
      const now = hashesOf(state);
      for (const hash of known) if (!now.has(hash)) await store.remove(nameOf(hash));
      known = now;
    },
    async readText(hash) {
      const bytes = await store.read(nameOf(hash));
      if (bytes && hashOf(bytes) === hash) return bytes;
      throw new PlinthError(
        'config/unreadable',
        `Cannot read the stored config ${hash.slice(0, 12)}: ${bytes ? 'it was changed' : 'it is gone'}, expected what was stored`,
      );
    },
    async putText(bytes) {
      const name = nameOf(hashOf(bytes));
      const stored = await store.read(name);
      if (!stored?.equals(bytes)) await store.write(name, bytes);
    },
  };
}

function hashesOf({ history }: ConfigState): ReadonlySet<string> {
  return new Set(history.map(({ hash }) => hash));
}
