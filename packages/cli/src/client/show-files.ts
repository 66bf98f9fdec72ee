import { resolve } from 'node:path';
import { type FileEntry, FileKind, ListFilesResponseSchema, messageData } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText, table } from '../output/blocks.ts';
import { printable, printablePieces } from '../output/printable.ts';
import { formatBytes } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { expectNewFile, saveNewFile } from './save-new-file.ts';

const MODES = ['---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx'];
const LETTERS: Partial<Record<FileKind, string>> = {
  [FileKind.FILE]: '-',
  [FileKind.FOLDER]: 'd',
  [FileKind.LINK]: 'l',
};

/** showFiles lists a folder of a node, without a path the places that may be read. @throws cli/context-missing, api/…, files/… */
export async function showFiles(
  path: string | undefined,
  options: AskOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.files.list(path));
  return {
    data: messageData(ListFilesResponseSchema, answer),
    names: answer.entries.map(({ name }) => printable(name)),
    view: [
      table(
        [
          { header: 'NAME', value: nameText },
          { header: 'MODE', value: modeText },
          { header: 'SIZE', value: sizeText, align: 'right' },
          { header: 'MODIFIED', value: ({ modifiedAt }) => dateText(modifiedAt) },
        ],
        answer.entries,
        'Nothing that may be read is there.',
      ),
      ...(answer.cut ? [plainText('There is more than is shown.')] : []),
    ],
  };
}

/**
 * readNodeFile writes a file of a node to standard output, or whole or not at all to a new file. On a terminal control
 * characters are taken out; elsewhere it is byte for byte. @throws cli/usage, cli/context-missing, api/…, files/…, host/…
 */
export async function readNodeFile(
  path: string,
  options: AskOptions & { readonly output: string | undefined },
  context: CommandContext,
): Promise<CommandResult | undefined> {
  if (options.output !== undefined) return saveNodeFile(path, resolve(options.output), options, context);
  await context.suspendProgress(() =>
    askNode(options, context, async (node) => {
      const pieces = printablePieces();
      for await (const chunk of node.files.read(path))
        context.writeOut(context.isTerminal ? pieces.piece(chunk) : chunk);
      if (context.isTerminal) context.writeOut(pieces.end());
    }),
  );
  return undefined;
}

async function saveNodeFile(
  path: string,
  target: string,
  options: AskOptions,
  context: CommandContext,
): Promise<CommandResult> {
  await expectNewFile(target);
  const sizeBytes = await context.progress.step(`Read ${printable(path)}`, (step) =>
    askNode(options, context, (node) =>
      saveNewFile(target, node.files.read(path), (written) => step.note(formatBytes(written))),
    ),
  );
  const view = [plainText(`${target}: ${formatBytes(sizeBytes)}.`)];
  return { data: { path: target, sizeBytes }, names: [target], view };
}

function nameText({ name, kind, target }: FileEntry): string {
  if (kind === FileKind.LINK) return `${name} -> ${target}`;
  return kind === FileKind.FOLDER ? `${name}/` : name;
}

function modeText({ kind, mode }: FileEntry): string {
  const parts = [6, 3, 0].map((shift) => MODES[(mode >> shift) & 7] ?? '');
  return `${LETTERS[kind] ?? '?'}${parts.join('')}`;
}

function sizeText({ kind, sizeBytes }: FileEntry): string {
  return kind === FileKind.FILE ? formatBytes(Number(sizeBytes)) : '-';
}

function dateText(time: FileEntry['modifiedAt']): string {
  return time ? new Date(Number(time.seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ') : '';
}
