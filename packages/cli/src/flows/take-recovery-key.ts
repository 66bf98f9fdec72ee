import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { NodeClient } from '@plinth/api';
import { writeFileAtomic } from '@plinth/host';
import { chooseContext } from '../client/choose-context.ts';
import { connectTo } from '../client/connect-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { expectNewFile } from '../client/save-new-file.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts, nextCommands, plainText } from '../output/blocks.ts';
import { parseRecipients, sealBundle } from '../support/seal-bundle.ts';

export interface TakeOptions {
  /** A file that does not exist yet; undefined for the name of the context. */
  readonly file: string | undefined;
  /** Public keys of age. */
  readonly recipient: string | undefined;
  readonly renew: boolean;
  readonly context: string | undefined;
  /** Seconds. */
  readonly timeout: number;
}

/**
 * takeRecoveryKey takes the recovery key of a node, which gives it once, and writes it for its receivers only; or has the node make a
 * new one. All that can be wrong here is found before the node is asked.
 * @throws cli/usage, cli/context-missing, host/io, var-key/…, api/…
 */
export async function takeRecoveryKey(options: TakeOptions, context: CommandContext): Promise<CommandResult> {
  const recipients = parseRecipients(options.recipient ?? '');
  if (options.renew && (recipients.length > 0 || options.file !== undefined))
    throw usageError('--renew takes no key: neither --recipient nor a file goes with it');
  const chosen = chooseContext(await readContexts(contextsPath(context.env)), options.context, context.env);
  if (options.renew) {
    using node = await connectTo(chosen.context, options.timeout * 1000);
    await node.varKey.renewRecoveryKey();
    return {
      data: { renewed: true },
      view: [plainText('The next start makes a new recovery key; the old one then opens nothing.')],
    };
  }
  if (recipients.length === 0)
    throw usageError(
      'a recovery key opens all data of a node; nobody is named who may read it',
      'Add --recipient with a public key of age (age1…); "age-keygen" makes a pair.',
    );
  // A mistake in a recipient must not cost the key.
  await sealBundle(Buffer.alloc(0), recipients);
  const path = resolve(options.file ?? `${chosen.name}-recovery.key.age`);
  await expectNewFile(path);
  // Nor may a folder that takes no file.
  await writeFileAtomic(path, Buffer.alloc(0), 0o600);
  const key = await takeFrom(() => connectTo(chosen.context, options.timeout * 1000)).catch(
    async (reason) => {
      await rm(path, { force: true });
      throw reason;
    },
  );
  await writeFileAtomic(path, await sealBundle(Buffer.from(`${key}\n`), recipients), 0o600);
  return {
    data: { path, recipients },
    names: [path],
    view: [
      facts([
        ['readable by', recipients.join(', ')],
        ['on the node', 'no longer'],
      ]),
      plainText(path),
      nextCommands([['plinth var show', 'what opens /var']]),
    ],
  };
}

async function takeFrom(connect: () => Promise<NodeClient>): Promise<string> {
  using node = await connect();
  return await node.varKey.takeRecoveryKey();
}
