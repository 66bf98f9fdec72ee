import {
  applyWaivers,
  countClocks,
  currentWaivers,
  isLate,
  knowsFixes,
  readWaivers,
  type WatchResult,
} from '@plinth/advisory';
import { exitCodes } from '@plinth/base';
import type { Certificate } from '@plinth/trust';
import type { CommandResult } from '../framework/result.ts';
import { nextCommands, plainText, table } from '../output/blocks.ts';

/**
 * showWatch shows what one run of the watch found, with waivers taken into account.
 * @param subjects paths, in the order of the results
 * @param trusted whose waivers count
 * @param wanted whether the exit code tells of clocks that ran out
 */
export async function showWatch(
  results: readonly WatchResult[],
  subjects: readonly string[],
  folder: string,
  trusted: readonly Certificate[],
  wanted: boolean,
): Promise<CommandResult> {
  const { values, problems } = await readWaivers(folder, trusted);
  const waivers = currentWaivers(values, new Date());
  const lateOf = ({ decisions, report }: WatchResult) =>
    applyWaivers(decisions, report.findings, waivers).filter(isLate).length;
  const breached = results.reduce((sum, result) => sum + lateOf(result), 0);
  const expired = waivers.filter(({ state }) => state === 'expired');
  const incomplete = subjects[results.findIndex(({ report }) => !report.complete)];
  return {
    data: results.map((result) => {
      const { subject, report, decisions, changes, drafts, problems: unkept } = result;
      return {
        ...{ subject, counts: report.counts, complete: report.complete, clocks: countClocks(decisions) },
        ...{ changes, drafts, problems: unkept, late: lateOf(result) },
      };
    }),
    view: [
      table(
        [
          { header: 'NAME', value: ({ subject }: WatchResult) => subject },
          { header: 'OPEN', value: ({ report }) => String(report.counts.open), align: 'right' },
          { header: 'UNKNOWN', value: ({ report }) => String(report.counts.unknown), align: 'right' },
          { header: 'LATE', value: (result) => String(lateOf(result)), align: 'right' },
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
      wanted && (breached > 0 || !results.every(({ report }) => knowsFixes(report)))
        ? exitCodes.findings
        : exitCodes.ok,
  };
}
