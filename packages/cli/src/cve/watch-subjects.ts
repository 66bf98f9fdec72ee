import { resolve } from 'node:path';
import {
  advisoryStorePath,
  applyWaivers,
  countClocks,
  currentWaivers,
  isLate,
  knowsFixes,
  openAdvisoryStore,
  readPolicy,
  readWaivers,
  type WatchResult,
  watch,
} from '@plinth/advisory';
import { exitCodes } from '@plinth/base';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import { openKeys } from '../flows/open-keys.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { nextCommands, plainText, table } from '../output/blocks.ts';

export interface WatchSubjectsOptions extends KeyFolderOptions {
  readonly to: string;
  readonly policy?: string | undefined;
  readonly offline: boolean;
  readonly exitCode: boolean;
}

/** watchSubjects judges subjects anew and says what changed. @throws advisory/…, trust/…, host/io */
export async function watchSubjects(
  subjects: readonly string[],
  options: WatchSubjectsOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const policy = await readPolicy(options.policy);
  const keys = await openKeys(options, context);
  const folder = resolve(options.to);
  const store = await openAdvisoryStore(advisoryStorePath(context.env));
  try {
    const results = await watch(
      subjects.map((subject) => resolve(subject)),
      {
        ...{ store, folder, policy, signer: keys.signers.release, offline: options.offline },
        trusted: keys.certificates('release'),
        ...{ mirrors: { env: context.env }, progress: context.progress, signal: context.signal },
      },
    );
    const { values, problems } = await readWaivers(folder, keys.certificates('release'));
    const waivers = currentWaivers(values, new Date());
    const lateOf = ({ decisions, report }: WatchResult) =>
      applyWaivers(decisions, report.findings, waivers).filter(isLate).length;
    const breached = results.reduce((sum, result) => sum + lateOf(result), 0);
    const expired = waivers.filter(({ state }) => state === 'expired');
    const incomplete = subjects[results.findIndex(({ report }) => !report.complete)];
    return {
      data: results.map(({ subject, report, decisions, changes, drafts, problems: unkept }) => ({
        ...{ subject, counts: report.counts, complete: report.complete, clocks: countClocks(decisions) },
        ...{ changes, drafts },
        problems: unkept,
        late: lateOf({ subject, report, decisions, changes, drafts, problems: unkept }),
      })),
      view: [
        table(
          [
            { header: 'NAME', value: ({ subject }: WatchResult) => subject },
            { header: 'OPEN', value: ({ report }) => String(report.counts.open), align: 'right' },
            { header: 'UNKNOWN', value: ({ report }) => String(report.counts.unknown), align: 'right' },
            {
              header: 'LATE',
              value: (result) => String(lateOf(result)),
              align: 'right',
            },
            { header: 'CHANGED', value: ({ changes }) => String(changes), align: 'right' },
            { header: 'DRAFTS', value: ({ drafts }) => String(drafts.length), align: 'right' },
            { header: 'COMPLETE', value: ({ report }) => (report.complete ? 'yes' : 'no') },
          ],
          results,
        ),
        plainText(
          `Signed reports, ledger and drafts are in ${folder}; "plinth cve verify" computes all clocks anew.`,
        ),
        ...[
          ...problems,
          ...new Set(results.flatMap((result) => result.problems)),
          ...expired.map(({ id, until }) => `The waiver of ${id} ended at ${until}: its clock counts again.`),
        ].map((line) => plainText(line)),
        ...(incomplete === undefined
          ? []
          : [nextCommands([[`plinth cve scan ${incomplete} --offline`, 'what could not be asked or read']])]),
      ],
      exitCode:
        options.exitCode && (breached > 0 || !results.every(({ report }) => knowsFixes(report)))
          ? exitCodes.findings
          : exitCodes.ok,
    };
  } finally {
    await store.close();
  }
}
