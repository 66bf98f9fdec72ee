import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { parseJson } from '../release/parse-json.ts';
import { REPOSITORY_LIMITS } from '../repository.ts';
import { versionSchema } from './channel.ts';

const DEADLINES_LIMIT = 1000;

const deadline = z.strictObject({
  version: versionSchema,
  by: z.iso.datetime({ error: 'expected a moment in UTC like 2026-12-01T00:00:00Z' }),
  reason: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^\p{Cc}]*$/u, 'expected one line of text'),
});

const schema = z
  .strictObject({
    format: z.literal(1),
    name: z.literal('plinth'),
    /** Its own name, so that those of one channel cannot be served as another's. */
    channel: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected the name of a channel'),
    deadlines: z.array(deadline).max(DEADLINES_LIMIT),
  })
  .check(({ value, issues }) => {
    const seen = new Set<string>();
    for (const [index, { version }] of value.deadlines.entries()) {
      if (seen.has(version)) {
        const message = `version ${version} is there twice, expected once`;
        issues.push({ code: 'custom', message, input: version, path: ['deadlines', index, 'version'] });
      }
      seen.add(version);
    }
  });

/**
 * By when nodes of a channel should have its versions: the target channels/NAME.deadlines. A target of its own, since nodes of before it
 * refuse a channel with a field they do not know.
 */
export type ChannelDeadlines = z.infer<typeof schema>;
/** By when (RFC 3339, UTC) nodes should have a version, and why, for people. */
export type ChannelDeadline = ChannelDeadlines['deadlines'][number];

/** deadlinesTarget is the name of the target with the deadlines of a channel. One level below `channels/`, as its keys are delegated. */
export function deadlinesTarget(channel: string): string {
  return `channels/${channel}.deadlines`;
}

/** deadlinesFile is the file below `targets/` to fetch them from, by the digest that the metadata name; see channelFile. */
export function deadlinesFile(channel: string, sha256: string): string {
  return `channels/${sha256}.${channel}.deadlines`;
}

/**
 * parseDeadlines reads the deadlines of a channel.
 * @param channel whose they have to be
 * @throws update/channel-invalid
 */
export function parseDeadlines(text: string, channel: string): ChannelDeadlines {
  const file = deadlinesTarget(channel);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > REPOSITORY_LIMITS.channelBytes)
    throw invalid(file, `it has ${sizeBytes} bytes, at most ${REPOSITORY_LIMITS.channelBytes} are read`);
  const { data, error } = schema.safeParse(parseJson(text));
  const [first] = error?.issues ?? [];
  if (!data) throw invalid(file, first ? `${first.path.join('.')}: ${first.message}` : 'it is not valid');
  if (data.channel !== channel) throw invalid(file, `it says to be of ${data.channel}`);
  return data;
}

/** formatDeadlines writes them; the same always give the same bytes. @throws update/channel-invalid */
export function formatDeadlines(deadlines: ChannelDeadlines): string {
  const text = `${JSON.stringify(deadlines, undefined, 2)}\n`;
  // As it is read, so that what is refused is never signed.
  parseDeadlines(text, deadlines.channel);
  return text;
}

function invalid(file: string, state: string): PlinthError {
  return new PlinthError(
    'update/channel-invalid',
    `Cannot read ${file}: ${state}, expected the deadlines of a channel`,
  );
}
