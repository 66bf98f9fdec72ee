import { setTimeout as sleep } from 'node:timers/promises';
import type { CriClient } from './cri-client.ts';

/** How far a pull is. */
export interface PullProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
  /** When it is done. */
  readonly imageId?: string;
}

const POLL_MS = 500;

/**
 * pullImage pulls and tells how far it is, as far as containerd tells it; at the end, with the image's id, it is there.
 * The runtime goes on when the reader stops; the iterator ends with it, so that what is at work counts as at work.
 * @throws containers/…
 */
export async function* pullImage(
  cri: Pick<CriClient, 'pull' | 'ingests'>,
  name: string,
  signal: AbortSignal,
  pollMs = POLL_MS,
): AsyncGenerator<PullProgress> {
  let ended = false;
  const woken = new AbortController();
  const pulling = cri.pull(name).finally(() => {
    ended = true;
    woken.abort();
  });
  // Told below; a reader that is gone by then hears nothing of it.
  pulling.catch(() => {});
  try {
    // A blob that has arrived is on the list no longer, so the largest that was seen of each is kept.
    const seen = new Map<string, { receivedBytes: number; totalBytes: number }>();
    let before = '';
    while (!ended && !signal.aborted) {
      await sleep(pollMs, undefined, { signal: AbortSignal.any([woken.signal, signal]) }).catch(() => {});
      if (ended || signal.aborted) break;
      const current = await cri.ingests().catch(() => []);
      const present = new Set(current.map(({ ref }) => ref));
      for (const [ref, blob] of seen) if (!present.has(ref)) blob.receivedBytes = blob.totalBytes;
      for (const { ref, receivedBytes, totalBytes } of current)
        seen.set(ref, { receivedBytes, totalBytes: Math.max(receivedBytes, totalBytes) });
      const progress = sum(seen.values());
      const text = `${progress.receivedBytes}/${progress.totalBytes}`;
      if (text !== before && progress.totalBytes > 0) yield progress;
      before = text;
    }
    if (signal.aborted) return;
    const imageId = await pulling;
    const { totalBytes } = sum(seen.values());
    yield { receivedBytes: totalBytes, totalBytes, imageId };
  } finally {
    await pulling.catch(() => {});
  }
}

function sum(blobs: Iterable<PullProgress>): PullProgress {
  let [receivedBytes, totalBytes] = [0, 0];
  for (const blob of blobs) {
    receivedBytes += blob.receivedBytes;
    totalBytes += blob.totalBytes;
  }
  return { receivedBytes, totalBytes };
}
