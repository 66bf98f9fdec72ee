import { hash } from 'node:crypto';
import { messageOf, PlinthError } from '@plinth/base';
import {
  type ChannelDeadlines,
  deadlinesFile,
  deadlinesTarget,
  parseDeadlines,
  REPOSITORY,
  REPOSITORY_LIMITS,
} from '@plinth/updates';
import { type MetadataSource, refreshAt, type SeenStore } from '@plinth/updates/tuf';

const TIMEOUT_MS = 30_000;

export interface RepositoryReader {
  /** Address of the repository: the folder above metadata/ and targets/. */
  readonly repository: string;
  readonly channel: string;
  /** The root that is believed to begin with, and where it is, for messages. */
  readonly trustedRoot: Uint8Array;
  readonly trustedRootFile: string;
  /** What was seen, against going back. */
  readonly store: SeenStore;
  readonly atMs: number;
}

/**
 * readSignedDeadlines reads by when a channel wants its versions on nodes: signed metadata by the client workflow of TUF, then the target they
 * name, held against its size and SHA-256. undefined: the channel says of none.
 * @throws update/unreachable, update/too-large, update/content-wrong, update/metadata-*, update/channel-invalid
 */
export async function readSignedDeadlines(
  { repository, channel, ...parts }: RepositoryReader,
  signal: AbortSignal,
): Promise<ChannelDeadlines | undefined> {
  const base = new URL(repository.endsWith('/') ? repository : `${repository}/`);
  const fetcher = openSource(signal);
  const find = await refreshAt({ ...parts, fetcher }, base);
  const target = find(deadlinesTarget(channel));
  if (!target) return undefined;
  const path = `${REPOSITORY.targets}/${deadlinesFile(channel, target.sha256)}`;
  const limitBytes = Math.min(target.sizeBytes, REPOSITORY_LIMITS.channelBytes);
  const bytes = await fetcher.fileAt(base, { path, limitBytes });
  if (bytes?.length !== target.sizeBytes || hash('sha256', bytes) !== target.sha256)
    throw new PlinthError(
      'update/content-wrong',
      `Cannot use ${target.name}: ${bytes ? 'it has other bytes than were signed' : 'it is not there'}, expected what was signed`,
    );
  return parseDeadlines(bytes.toString('utf8'), channel);
}

/** Files over HTTP, each limited in size and time; authorities beside the usual ones come by NODE_EXTRA_CA_CERTS. */
function openSource(signal: AbortSignal): MetadataSource {
  return {
    async fileAt(base, { path, limitBytes }) {
      const url = new URL(path, base);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      try {
        const answer = await fetch(url, { redirect: 'error', signal: limit });
        if (!answer.ok) await answer.body?.cancel();
        if (answer.status === 404) return undefined;
        if (!answer.ok) throw unreachable(url, `the server answers ${answer.status}`);
        return await limited(answer, limitBytes, url);
      } catch (reason) {
        throw reason instanceof PlinthError ? reason : unreachable(url, messageOf(reason));
      }
    },
  };
}

async function limited(answer: Response, limitBytes: number, url: URL): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  // Leaving the loop early ends the connection.
  for await (const piece of answer.body ?? []) {
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes)
      throw new PlinthError(
        'update/too-large',
        `Cannot fetch ${url.pathname}: it has more than ${limitBytes} bytes`,
      );
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function unreachable(url: URL, state: string): PlinthError {
  return new PlinthError(
    'update/unreachable',
    `Cannot fetch ${url.origin}${url.pathname}: ${state}, expected a file of a release repository`,
  );
}
