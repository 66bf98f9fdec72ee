import { join, resolve } from 'node:path';
import {
  type AppliedWaiver,
  advisoryStorePath,
  applyWaivers,
  type Clock,
  decide,
  isLate,
  knowsFixes,
  readPolicy,
  scan,
  type WaivedDecision,
} from '@plinth/advisory';
import { exitCodes } from '@plinth/base';
import { osDir } from '../flows/use-lock.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText, table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';
import { printableData } from './printable-data.ts';
import { readKept, showKept } from './show-rollout.ts';

export interface ShowClocksOptions {
  /** Folder of the watch, with waivers and observations of nodes. */
  readonly in?: string | undefined;
  readonly trust?: string | undefined;
  readonly policy?: string | undefined;
  readonly offline: boolean;
  readonly exitCode: boolean;
}

/** Decisions of one line: those with the same target, action and clock. */
interface Line {
  readonly decision: WaivedDecision & { readonly clock: Clock };
  readonly count: number;
}

const ORDER: readonly Clock['state'][] = ['breached', 'due-soon', 'running'];

/** showClocks scans a subject and shows what the policy says about each finding. @throws advisory/…, host/io */
export async function showClocks(
  subject: string | undefined,
  options: ShowClocksOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const policy = await readPolicy(options.policy);
  const report = await scan(subject === undefined ? join(osDir, 'plinth.lock.json') : resolve(subject), {
    storePath: advisoryStorePath(context.env),
    offline: options.offline,
    mirrors: { env: context.env },
    progress: context.progress,
    signal: context.signal,
  });
  const now = new Date(report.judgedAt);
  const kept = await readKept(options.in, options.trust, now, context.env);
  const decisions = applyWaivers(
    report.findings.map((finding) => decide(finding, policy, now)),
    report.findings,
    kept.waivers,
  );
  const lines = linesOf(decisions, context.format !== 'wide');
  const breached = decisions.filter(isLate).length;
  const waived = decisions.filter(
    (each) => each.clock?.state === 'breached' && each.waiver?.state === 'active',
  ).length;
  const waiting = decisions.filter(({ action, clock }) => action !== 'none' && !clock).length;
  const told = knowsFixes(report);
  return {
    data: {
      subject: report.subject,
      judgedAt: report.judgedAt,
      complete: report.complete,
      policy,
      decisions,
      ...(options.in === undefined
        ? {}
        : { waivers: kept.waivers, nodes: kept.rollout, problems: kept.problems }),
    },
    view: [
      table(
        [
          {
            header: 'ID',
            value: ({ decision, count }: Line) => (count === 1 ? decision.id : `${count}: ${decision.id} …`),
          },
          { header: 'TARGET', value: ({ decision }) => decision.target ?? '-' },
          { header: 'ACTION', value: ({ decision }) => decision.action },
          {
            header: 'FROM',
            value: ({ decision: { clock } }) => clock.startedAt.slice(0, 16).replace('T', ' '),
          },
          { header: 'DUE', value: ({ decision: { clock } }) => clock.dueAt.slice(0, 16).replace('T', ' ') },
          {
            header: 'CLOCK',
            value: ({ decision: { clock, waiver } }) => clockOrWaiver(clockText(clock, now), waiver),
            mark: ({ decision: { clock, waiver } }, style) =>
              clock.state === 'breached' && waiver?.state !== 'active'
                ? style.bad
                : clock.state !== 'running'
                  ? style.doubtful
                  : style.good,
          },
          { header: 'WHY', value: ({ decision }) => decision.reason, wide: true },
        ],
        lines,
        'No clock runs.',
      ),
      plainText(
        [
          `${breached} past the target${waived > 0 ? ` (and ${waived} waived)` : ''}, ${waiting} without a clock (no fix, nothing urgent); times are UTC`,
          ...(told ? [] : ['Sources that say since when fixes exist are missing: clocks may run unseen.']),
          ...(report.complete
            ? []
            : ['Some sources could not be asked, so more may be open: see "plinth cve scan".']),
        ].join('\n'),
      ),
      ...showKept(printableData(kept), context.format !== 'wide'),
    ],
    exitCode: options.exitCode && (breached > 0 || !told) ? exitCodes.findings : exitCodes.ok,
  };
}

function linesOf(decisions: readonly WaivedDecision[], fold: boolean): Line[] {
  const running = decisions.flatMap((decision) =>
    decision.clock ? [{ ...decision, clock: decision.clock }] : [],
  );
  const groups = Map.groupBy(running, ({ id, target, action, clock, waiver }) =>
    fold && !waiver ? [target, action, clock.startedAt].join(' ') : id,
  );
  return [...groups.values()]
    .flatMap((group): Line[] => (group[0] ? [{ decision: group[0], count: group.length }] : []))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.decision.clock.state) - ORDER.indexOf(b.decision.clock.state) ||
        a.decision.clock.dueAt.localeCompare(b.decision.clock.dueAt),
    );
}

function clockOrWaiver(text: string, waiver: AppliedWaiver | undefined): string {
  if (!waiver) return text;
  return waiver.state === 'active' ? `waived until ${waiver.until.slice(0, 10)}` : `${text} (waiver over)`;
}

function clockText(clock: Clock, now: Date): string {
  const leftMs = Date.parse(clock.dueAt) - now.getTime();
  return leftMs < 0 ? `${formatDuration(-leftMs)} late` : `${formatDuration(leftMs)} left`;
}
