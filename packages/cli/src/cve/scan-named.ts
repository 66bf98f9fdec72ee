import { resolve } from 'node:path';
import { exists } from '@plinth/host';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { type ScanSubjectOptions, scanSubject } from './scan-subject.ts';

/** Options of a scan; `timeout` in seconds, for nodes alone. */
export type ScanNamedOptions = ScanSubjectOptions & { readonly timeout: number };

/**
 * scanNamed scans what a word means: a subject on disk, else nodes or a cluster by name. Throws: see both. What talks to nodes is
 * loaded only then: it is a third of all that a scan loads.
 */
export async function scanNamed(
  word: string | undefined,
  options: ScanNamedOptions,
  context: CommandContext,
): Promise<CommandResult> {
  if (word === undefined || (await exists(resolve(word)))) return await scanSubject(word, options, context);
  const { namedNodes } = await import('./named-nodes.ts');
  const nodes = await namedNodes(word, context);
  if (nodes === undefined) return await scanSubject(word, options, context);
  const isDocument = !['table', 'json', 'yaml', 'wide', 'name'].includes(context.format);
  if (options.explain !== undefined || isDocument) {
    throw usageError(
      `"${word}" means nodes: --explain and documents are for one release`,
      'See which release they run with "plinth cve nodes", and name its folder.',
    );
  }
  const { scanFleet } = await import('./scan-fleet.ts');
  return await scanFleet(
    [],
    {
      ...{ nodes, selector: undefined, allNodes: false, context: undefined, timeout: options.timeout },
      ...{ vex: options.vex, all: options.all, offline: options.offline, exitCode: options.exitCode },
      ...{ keys: undefined, passphraseFile: undefined },
    },
    context,
  );
}
