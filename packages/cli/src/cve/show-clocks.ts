import { join, resolve } from 'node:path';
import {
  advisoryStorePath,
  type Clock,
  type Decision,
  decide,
  knowsFixes,
  readPolicy,
  scan,
} from '@plinth/advisory';
import { exitCodes } from '@plinth/base';
import { osDir } from '../flows/use-lock.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText, table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';

export interface ShowClocksOptions {
  readonly policy?: string | undefined;
  readonly offline: boolean;
  readonly exitCode: boolean;
}

/** Decisions of one line: those with the same target, action and clock. */
interface Line {
  readonly decision: Decision & { readonly clock: Clock };
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
  const decisions = report.findings.map((finding) => decide(finding, policy, now));
  const lines = linesOf(decisions, context.format !== 'wide');
  const breached = decisions.filter(({ clock }) => clock?.state === 'breached').length;
  const waiting = decisions.filter(({ action, clock }) => action !== 'none' && !clock).length;
  const told = knowsFixes(report);
  return {
    data: {
      subject: report.subject,
      judgedAt: report.judgedAt,
      complete: report.complete,
      policy,
      decisions,
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
            value: ({ decision: { clock } }) => clockText(clock, now),
            mark: ({ decision: { clock } }, style) =>
              clock.state === 'breached'
                ? style.bad
                : clock.state === 'due-soon'
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
          `${breached} past the target, ${waiting} without a clock (no fix, nothing urgent); times are UTC`,
          ...(told ? [] : ['Sources that say since when fixes exist are missing: clocks may run unseen.']),
          ...(report.complete
            ? []
            : ['Some sources could not be asked, so more may be open: see "plinth cve scan".']),
        ].join('\n'),
      ),
    ],
    exitCode: options.exitCode && (breached > 0 || !told) ? exitCodes.findings : exitCodes.ok,
  };
}

function linesOf(decisions: readonly Decision[], fold: boolean): Line[] {
  const running = decisions.flatMap((decision) =>
    decision.clock ? [{ ...decision, clock: decision.clock }] : [],
  );
  const groups = Map.groupBy(running, ({ id, target, action, clock }) =>
    fold ? [target, action, clock.startedAt].join(' ') : id,
  );
  return [...groups.values()]
    .flatMap((group): Line[] => (group[0] ? [{ decision: group[0], count: group.length }] : []))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.decision.clock.state) - ORDER.indexOf(b.decision.clock.state) ||
        a.decision.clock.dueAt.localeCompare(b.decision.clock.dueAt),
    );
}

function clockText(clock: Clock, now: Date): string {
  const leftMs = Date.parse(clock.dueAt) - now.getTime();
  return leftMs < 0 ? `${formatDuration(-leftMs)} late` : `${formatDuration(leftMs)} left`;
}
