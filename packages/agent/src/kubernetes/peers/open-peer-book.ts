import type { StateStore } from '../../sys/state-store.ts';
import type { KnownPeers, Peer, PeerBook } from '../../tunnel/peers.ts';
import { FOLDER } from '../paths.ts';
import type { NodeFacts } from '../preconditions.ts';
import { parsePeers } from './peer-list.ts';

/** Kept for the time when the cluster does not answer: that is when its nodes are looked at. */
const FILE = `${FOLDER}/peers.json`;
/** One fan-out asks for each of its tunnels. */
const FRESH_MS = 5_000;

export interface PeerBookParts {
  readonly store: Pick<StateStore, 'read' | 'write'>;
  readonly nowMs: () => number;
  readonly facts: () => Promise<Pick<NodeFacts, 'member'>>;
  /** The published list, asked of the cluster. */
  readonly read: () => Promise<readonly Peer[]>;
}

/** openPeerBook is PeerBook on a node that may be a member. */
export function openPeerBook({ store, nowMs, facts, read }: PeerBookParts): PeerBook {
  let kept: KnownPeers | undefined;
  let latest: { readonly known: KnownPeers; readonly atMs: number } | undefined;
  let asking: Promise<KnownPeers> | undefined;
  let stored = '';

  const ask = async (): Promise<KnownPeers> => {
    // A membership that cannot be read is what the check "membership" is about.
    const { member } = await facts().catch(() => ({ member: undefined }));
    if (member?.state !== 'member') return { peers: [], observedAtMs: undefined, problem: '' };
    try {
      const peers = await read();
      const known: KnownPeers = { peers, observedAtMs: nowMs(), problem: '' };
      kept = known;
      const text = JSON.stringify(peers);
      if (text !== stored) {
        stored = text;
        await store.write(FILE, Buffer.from(text)).catch(() => {}); // then a restart forgets it
      }
      return known;
    } catch (reason) {
      const state = reason instanceof Error ? reason.message : 'it does not answer';
      const before = kept ?? (await readStored(store));
      return { peers: before?.peers ?? [], observedAtMs: before?.observedAtMs, problem: state };
    }
  };

  return {
    async list() {
      // An answer that did not come counts as well: each tunnel would wait for it anew.
      const ageMs = latest ? nowMs() - latest.atMs : Number.NaN;
      if (latest && ageMs >= 0 && ageMs < FRESH_MS) return latest.known;
      asking ??= ask()
        .then((known) => {
          latest = { known, atMs: nowMs() };
          return known;
        })
        .finally(() => {
          asking = undefined;
        });
      return asking;
    },
  };
}

async function readStored(store: Pick<StateStore, 'read'>): Promise<KnownPeers | undefined> {
  try {
    const bytes = await store.read(FILE);
    return bytes && { peers: parsePeers(bytes.toString('utf8')), observedAtMs: undefined, problem: '' };
  } catch {
    return undefined; // damaged or not readable: the cluster's next answer replaces it
  }
}
