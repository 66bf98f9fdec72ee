import { join, resolve } from 'node:path';
import {
  advisoryStorePath,
  readStatements,
  renderFindings,
  type ScanOptions,
  type ScanReport,
  scan,
} from '@plinth/advisory';
import { exitCodes } from '@plinth/base';
import { osDir } from '../flows/use-lock.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { printableData } from './printable-data.ts';
import { findFinding, showFinding } from './show-finding.ts';
import { showReport } from './show-report.ts';

export interface ScanSubjectOptions {
  readonly explain?: string | undefined;
  readonly vex?: string | undefined;
  readonly all: boolean;
  readonly offline: boolean;
  readonly refresh: boolean;
  readonly exitCode: boolean;
  readonly mirror?: string | undefined;
  readonly securityMirror?: string | undefined;
}

/**
 * scanSubject scans what is named, by default the image's lock.
 * @throws advisory/subject-unknown, advisory/subject-invalid, advisory/not-found, advisory/store-failed
 */
export async function scanSubject(
  subject: string | undefined,
  options: ScanSubjectOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { mirror, securityMirror } = options;
  const path = subject === undefined ? join(osDir, 'plinth.lock.json') : resolve(subject);
  const shared: ScanOptions = {
    storePath: advisoryStorePath(context.env),
    offline: options.offline,
    refresh: options.refresh,
    all: options.all,
    ...(options.vex === undefined ? {} : { statements: await readStatements(resolve(options.vex)) }),
    mirrors: {
      env: context.env,
      flags: {
        ...(mirror === undefined ? {} : { mirror }),
        ...(securityMirror === undefined ? {} : { securityMirror }),
      },
    },
    progress: context.progress,
    signal: context.signal,
  };
  let report = await scan(path, shared);
  // What the image has fixed takes more changelogs: they are read only when the identifier is none of the open ones.
  if (options.explain !== undefined && !findFinding(report, options.explain))
    report = await scan(path, { ...shared, all: true });
  const exitCode = options.exitCode && !isClean(report) ? exitCodes.findings : exitCodes.ok;
  if (options.explain !== undefined) return { ...showFinding(report, options.explain), exitCode };
  return {
    data: report,
    view: showReport(printableData(report), {
      all: options.all,
      fold: context.format !== 'wide',
      now: new Date(report.judgedAt),
    }),
    names: report.findings
      .filter(({ verdict }) => options.all || verdict === 'open' || verdict === 'unknown')
      .map(({ vulnerability }) => vulnerability.id),
    document: (format) => renderFindings(report, format),
    exitCode,
  };
}

/** Nothing is open, nothing is unknown, and every feed that has to be asked could be asked. */
function isClean({ counts, complete }: ScanReport): boolean {
  return counts.open === 0 && counts.unknown === 0 && complete;
}
