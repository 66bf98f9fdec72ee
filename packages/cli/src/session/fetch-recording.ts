import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { OneNodeOptions } from '../client/node-options.ts';
import { expectNewFile, saveNewFile } from '../client/save-new-file.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';
import { atNode } from './at-node.ts';

/**
 * fetchRecording fetches the recording of a session and holds it against the hash that the node tells of one that has ended.
 * @throws cli/usage, cli/context-missing, session/…, api/…, host/…
 */
export async function fetchRecording(
  id: string,
  options: OneNodeOptions & { readonly output: string | undefined },
  context: CommandContext,
): Promise<CommandResult | undefined> {
  const target = options.output === undefined || options.output === '-' ? undefined : resolve(options.output);
  // What was shown there would steer this terminal here.
  if (target === undefined && context.isTerminal)
    throw usageError('a recording would go to the terminal, expected a file, as in "-w a.cast", or a pipe');
  if (target !== undefined) await expectNewFile(target);
  return atNode(options, context, async (node) => {
    const { sessions } = await node.session.list();
    const told = sessions.find((each) => each.id === id)?.recordingSha256 ?? '';
    const hash = createHash('sha256');
    const pieces = checked(node.session.recording(id), hash, told);
    if (target === undefined) {
      await context.suspendProgress(async () => {
        for await (const piece of pieces) context.writeOut(piece);
      });
      return undefined;
    }
    const sizeBytes = await context.progress.step(`Fetch the recording of ${id}`, (step) =>
      saveNewFile(target, pieces, (written) => step.note(formatBytes(written))),
    );
    return {
      data: { path: target, sizeBytes, sha256: told, complete: told !== '' },
      names: [target],
      view: [
        facts([
          ['File', target],
          ['Size', formatBytes(sizeBytes)],
          ['SHA-256', told === '' ? 'none yet: the session goes on' : told],
        ]),
      ],
    };
  });
}

async function* checked(
  pieces: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
  told: string,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
  if (told === '') return;
  const sha256 = hash.digest('hex');
  if (sha256 !== told)
    throw new PlinthError(
      'api/broken-transfer',
      `Cannot receive the recording: its SHA-256 is ${sha256}, expected ${told}`,
    );
}
