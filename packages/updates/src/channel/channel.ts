import { compareUapiVersions, type Diagnostic, PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';
import { ARCHITECTURE } from '../release/names.ts';
import { parseJson } from '../release/parse-json.ts';
import { REPOSITORY_LIMITS } from '../repository.ts';

/** "plinth_" + version + "_verity" is a partition label of at most 36 characters. */
const VERSION_LENGTH_LIMIT = 22;
const RELEASES_LIMIT = 1000;
const RULES_LIMIT = 1000;

/** versionSchema is an image version (UAPI.10) that fits file names and partition labels. */
export const versionSchema = z
  .string()
  .max(
    VERSION_LENGTH_LIMIT,
    `expected at most ${VERSION_LENGTH_LIMIT} characters, as partition labels are short`,
  )
  .regex(/^[0-9][0-9A-Za-z.~^-]*$/, 'expected an image version like 1.4.0 or 1.5.0~rc1')
  .describe('Image version (UAPI.10).');

const reason = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}]*$/u, 'expected one line of text')
  .describe('Why, for the people whose nodes it concerns.');
const rule = z.strictObject({ version: versionSchema, reason });

const release = z.strictObject({
  version: versionSchema,
  manifest: z
    .string()
    .max(200)
    .regex(/^[^/\p{Cc}]+$/u, 'expected the plain name of a file')
    .describe('Name of the target that is the manifest of the release.'),
  security: z.boolean().optional().describe('It closes holes that the versions before have.'),
  notes: z.string().max(4000).optional().describe('What is new, for people.'),
  kubernetes: z
    .array(z.string().regex(/^1\.[0-9]{1,3}$/, 'expected a minor version like 1.37'))
    .max(20)
    .optional()
    .describe('Kubernetes minor versions that run on it; absent: any.'),
});

const schema = z
  .strictObject({
    format: z.literal(1),
    name: z.literal('plinth'),
    channel: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a name like stable: small letters, digits, "-"')
      .describe('Its own name, so that one channel cannot be served as another.'),
    architecture: z
      .literal(ARCHITECTURE)
      .describe('Architecture of its machines, in the spelling of systemd.'),
    securityFloor: rule.optional().describe('The oldest version that nodes may go back to.'),
    releases: z.array(release).max(RELEASES_LIMIT).describe('What it offers, in any order.'),
    barriers: z
      .array(rule)
      .max(RULES_LIMIT)
      .describe('Versions that updates must not leap over: a node becomes healthy in them first.'),
    deadEnds: z.array(rule).max(RULES_LIMIT).describe('Versions that no update leads on from.'),
    blocked: z.array(rule).max(RULES_LIMIT).describe('Versions that no node takes.'),
  })
  .check(({ value, issues }) => {
    for (const list of ['releases', 'barriers', 'deadEnds', 'blocked'] as const) {
      const sorted = value[list]
        .map(({ version }, index) => ({ version, index }))
        .sort((left, right) => compareUapiVersions(left.version, right.version));
      for (const [place, { version, index }] of sorted.entries()) {
        const before = sorted[place - 1];
        if (!before || compareUapiVersions(before.version, version) !== 0) continue;
        const same = before.version === version ? '' : ` (as ${before.version})`;
        const message = `version ${version} is there twice${same}, expected once`;
        issues.push({ code: 'custom', message, input: version, path: [list, index, 'version'] });
      }
    }
  });

/** What a channel offers to the nodes that follow it, and by which rules: the target channels/NAME.json. */
export type Channel = z.infer<typeof schema>;
export type ChannelRelease = Channel['releases'][number];
/** A version that something is said about, and why. */
export type ChannelRule = Channel['barriers'][number];

/**
 * parseChannel reads a channel. The first problem is in the message with its place, all of them are diagnostics.
 * @param name the file's name, for messages
 * @throws update/channel-invalid
 */
export function parseChannel(text: string, name: string): Channel {
  const invalid = (state: string, diagnostics: readonly Diagnostic[] = []) =>
    new PlinthError('update/channel-invalid', `Cannot read ${name}: ${state}, expected a channel`, {
      diagnostics,
    });
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > REPOSITORY_LIMITS.channelBytes) {
    throw invalid(`it has ${sizeBytes} bytes, at most ${REPOSITORY_LIMITS.channelBytes} are read`);
  }
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  // The reader that knows places is slow on a node; it is asked only for what is wrong.
  const parsed = readDocument(text, name, schema, 'update/channel-invalid');
  if (parsed.ok) throw invalid('it is YAML, only JSON is read');
  const [first] = parsed.diagnostics;
  const place = first?.span ? ` at line ${first.span.line}, column ${first.span.column}` : '';
  const state = first?.message.replace(`Cannot read ${name}: `, '') ?? 'it is not valid';
  throw invalid(`${first?.path ? `${first.path}: ` : ''}${state}${place}`, parsed.diagnostics);
}

/** formatChannel writes a channel; the same channel always gives the same bytes. */
export function formatChannel(channel: Channel): string {
  return `${JSON.stringify(schema.parse(channel), undefined, 2)}\n`;
}

/** channelJsonSchema is the published JSON Schema of the channel. */
export function channelJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(schema, { target: 'draft-2020-12' }),
    $id: 'https://plinth.dev/schema/channel-1.json',
    title: 'Channel of a Plinth release repository',
  };
}
