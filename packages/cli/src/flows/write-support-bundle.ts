import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ioError, writeFileAtomic } from '@plinth/host';
import { chooseContext } from '../client/choose-context.ts';
import { connectTo } from '../client/connect-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { expectNewFile } from '../client/save-new-file.ts';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';
import { type BundlePart, bundleParts } from '../support/bundle-parts.ts';
import { collectParts, type Manifest, manifestOf, packBundle } from '../support/make-bundle.ts';
import { parseRecipients, sealBundle } from '../support/seal-bundle.ts';
import { readToolVersion } from '../tool-version.ts';

export interface SupportOptions {
  /** A file that does not exist yet; undefined for a name made of the node's and the time. */
  readonly file: string | undefined;
  /** Keys of age, separated by commas. */
  readonly recipients: string | undefined;
  readonly recipientsFile: string | undefined;
  readonly encrypt: boolean;
  readonly journalLines: number;
  readonly context: string | undefined;
  readonly timeoutMs: number;
}

/** A bundle that was written. */
export interface WrittenBundle {
  readonly path: string;
  readonly sizeBytes: number;
  readonly encrypted: boolean;
  readonly recipients: readonly string[];
  readonly manifest: Manifest;
}

/**
 * writeSupportBundle asks a node for everything that explains it, takes secrets out, and writes one file that only its
 * receivers can open. What it will hold is said before anything is asked.
 * @throws cli/usage without a receiver, or when the file exists; cli/context-missing, host/io, api/unreachable
 */
export async function writeSupportBundle(
  options: SupportOptions,
  context: CommandContext,
): Promise<WrittenBundle> {
  const recipients = await readRecipients(options);
  const chosen = chooseContext(await readContexts(contextsPath(context.env)), options.context, context.env);
  const madeAt = new Date();
  const folder = `plinth-support-${chosen.name}-${madeAt.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  const path = resolve(options.file ?? `${folder}.tar.gz${options.encrypt ? '.age' : ''}`);
  await expectNewFile(path);
  const parts = bundleParts(options);
  announce(parts, options.encrypt, context);
  using node = await connectTo(chosen.context, options.timeoutMs);
  // A node that cannot be reached at all makes no bundle of failures.
  const { nodeName } = await node.getIdentity();
  const collected = await context.progress.step(`Ask node "${chosen.name}"`, (step) =>
    collectParts(node, parts, step, context.signal),
  );
  const manifest = manifestOf(nodeName, madeAt, `plinth ${await readToolVersion()}`, collected);
  const bundle = packBundle(folder, manifest, collected);
  const written = options.encrypt ? await sealBundle(bundle, recipients) : bundle;
  await writeFileAtomic(path, written, 0o600);
  return { path, sizeBytes: written.length, encrypted: options.encrypt, recipients, manifest };
}

async function readRecipients({
  recipients,
  recipientsFile,
  encrypt,
}: SupportOptions): Promise<readonly string[]> {
  const file =
    recipientsFile === undefined
      ? ''
      : await readFile(recipientsFile, 'utf8').catch((reason) => {
          throw ioError(reason, `read ${recipientsFile}`);
        });
  const keys = parseRecipients(`${recipients ?? ''}\n${file}`);
  if (encrypt && keys.length === 0)
    throw usageError(
      'a support bundle tells much about a node; nobody is named who may open it',
      'Add --recipient with the public key of age (age1…) that support gave you, or --no-encrypt to keep it to yourself.',
    );
  if (!encrypt && keys.length > 0) throw usageError('--no-encrypt and --recipient contradict each other');
  return keys;
}

function announce(parts: readonly BundlePart[], encrypt: boolean, { say }: CommandContext): void {
  say(`The bundle will hold ${parts.length} parts, secrets taken out:`);
  for (const { path, what } of parts) say(`  ${path.padEnd(20)} ${what}`);
  if (!encrypt) say('WARNING: the bundle is NOT encrypted. Whoever gets the file can read all of it.');
}
