import { resolve } from 'node:path';
import {
  type AffectedSubject,
  advisoryStorePath,
  affectedSubjects,
  isNamedByFeeds,
  normaliseId,
  openAdvisoryStore,
} from '@plinth/advisory';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText, table } from '../output/blocks.ts';
import { printableData } from './printable-data.ts';

/** showAffected tells which stored releases have a flaw. @throws cli/usage, advisory/store-failed, host/io */
export async function showAffected(
  wanted: string,
  options: { readonly in: string; readonly exitCode: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const id = normaliseId(wanted);
  if (id === undefined) throw usageError(`"${wanted}" is no identifier`, 'Write it as in CVE-2026-35189.');
  const store = await openAdvisoryStore(advisoryStorePath(context.env));
  try {
    const subjects = await affectedSubjects(store, resolve(options.in), id);
    if (subjects.length === 0) {
      throw usageError(
        `"${options.in}" keeps no releases, expected those of "plinth cve watch"`,
        'Run "plinth cve watch RELEASE --to DIR", then name DIR with --in.',
      );
    }
    const isKnown = await isNamedByFeeds(store, id);
    const named = subjects.filter(({ finding }) => finding !== undefined);
    const bad = named.filter(({ finding }) => finding?.verdict === 'open' || finding?.verdict === 'unknown');
    return {
      data: { id, isKnown, subjects },
      view: [
        table(
          [
            { header: 'NAME', value: ({ subject }: AffectedSubject) => subject },
            {
              header: 'VERDICT',
              value: ({ finding }) => finding?.verdict ?? '-',
              mark: ({ finding }, style) => (finding?.verdict === 'open' ? style.bad : style.doubtful),
            },
            { header: 'WHY', value: ({ finding }) => finding?.reason ?? '' },
          ],
          printableData(named),
          isKnown
            ? `What feeds name ${id} for is in none of ${subjects.length} kept releases.`
            : `No feed at hand names ${id}: whether a release has it cannot be told.`,
        ),
        plainText(
          `${isKnown ? bad.length : subjects.length} of ${subjects.length} have it or may have it; feeds: "plinth cve feeds list"`,
        ),
      ],
      names: bad.map(({ subject }) => subject),
      exitCode: options.exitCode && (bad.length > 0 || !isKnown) ? exitCodes.findings : exitCodes.ok,
    };
  } finally {
    await store.close();
  }
}
