import { PlinthError } from '@plinth/base';
import { parseJson } from '@plinth/updates';
import { z } from 'zod';

const file = z.strictObject({
  path: z.string(),
  kind: z.enum(['file', 'dir', 'symlink', 'char', 'block', 'fifo', 'socket']),
  mode: z.int().min(0).max(0o7777),
  sizeBytes: z.int().min(0),
  owner: z.string(),
  target: z.string().optional(),
  sha256: z.string().optional(),
});

const listener = z.strictObject({
  unit: z.string(),
  /** "stream", "datagram", "sequential-packet", …; of systemd.socket(5). */
  kind: z.string(),
  /** "6443", "127.0.0.1:9090", "/run/x.sock". */
  address: z.string(),
  /** Whether the unit is started at boot. */
  enabled: z.boolean(),
});

const schema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  version: z.string(),
  packages: z.array(
    z.strictObject({ name: z.string(), version: z.string(), source: z.string(), sourceVersion: z.string() }),
  ),
  files: z.array(file),
  /** Units that something of the image wants or requires, by "<unit> <wanted by>". */
  enabledUnits: z.array(z.string()),
  listeners: z.array(listener),
  /** What may execute: audit, signed, open; "" for releases that did not say. */
  execute: z.string().default(''),
  /** Options that are set, by name without CONFIG_. */
  kernelConfig: z.record(z.string(), z.string()),
  /** Modules that are part of the kernel itself, and those that modprobe.d keeps out; releases before did not say. */
  kernelModules: z
    .strictObject({ builtin: z.array(z.string()), denied: z.array(z.string()) })
    .exactOptional(),
  /** In bytes, by the name of what was measured. */
  sizes: z.record(z.string(), z.number()),
});

/** What two releases are compared by: the .facts.json beside a release. */
export type ReleaseFacts = z.infer<typeof schema>;
export type FactsFile = ReleaseFacts['files'][number];
export type Listener = ReleaseFacts['listeners'][number];

/**
 * parseFacts reads a .facts.json.
 * @param name the file's name, for messages
 * @throws release/facts-invalid
 */
export function parseFacts(text: string, name: string): ReleaseFacts {
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.length ? issue.path.join('.') : 'it';
  throw new PlinthError(
    'release/facts-invalid',
    `Cannot read ${name}: ${where} is not valid (${issue?.message ?? 'unknown reason'}), expected facts of a release`,
  );
}

/** formatFacts writes facts, one file a line, so that they compress and compare well. */
export function formatFacts({ files, ...rest }: ReleaseFacts): string {
  const head = JSON.stringify(rest, undefined, 1).slice(0, -2);
  return `${head},\n "files": [\n${files.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')}\n ]\n}\n`;
}
