import { resolve } from 'node:path';
import {
  advisoryStorePath,
  findPapers,
  type NodesReport,
  openSqliteStore,
  readStatements,
  scanNodes,
} from '@plinth/advisory';
import { exitCodes, type PlinthError } from '@plinth/base';
import { asExitCode, exitOfNodes, failureData, failures } from '../client/merge-results.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type AskFleetOptions, askFleet } from './ask-fleet.ts';
import { printableData } from './printable-data.ts';
import { showNodes } from './show-nodes.ts';

export type ScanFleetOptions = AskFleetOptions & {
  readonly vex?: string | undefined;
  readonly all: boolean;
  readonly offline: boolean;
  readonly exitCode: boolean;
};

/**
 * scanFleet shows what is open on nodes, each release once with the nodes that run it. Papers are looked for in folders, by
 * default where releases are built and where the watch keeps them.
 * @throws cli/usage, cli/context-missing, api/…, advisory/statements-invalid, advisory/store-failed, host/io
 */
export async function scanFleet(
  folders: readonly string[],
  options: ScanFleetOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const statements =
    options.vex === undefined ? {} : { statements: await readStatements(resolve(options.vex)) };
  const outcomes = await askFleet(options, context);
  const failed = outcomes.flatMap((one) => (one.ok ? [] : [one]));
  const states = outcomes.flatMap((one) => (one.ok ? [one.value] : []));
  const papers = await findPapers(papersFolders(folders));
  const store = openSqliteStore(advisoryStorePath(context.env));
  let report: NodesReport;
  try {
    report = await scanNodes(states, papers, store, {
      ...statements,
      ...{ offline: options.offline, all: options.all, mirrors: { env: context.env } },
      ...{ progress: context.progress, signal: context.signal },
    });
  } finally {
    store.close();
  }
  return {
    data: {
      ...report,
      complete: report.complete && failed.length === 0,
      failed: failed.map(({ node, error }) => ({ node, error: failureData(error) })),
    },
    view: [
      ...showNodes(printableData(report), { all: options.all, fold: context.format !== 'wide' }),
      ...failures(failed, context.style),
    ],
    names: report.nodes.map(({ node }) => node),
    exitCode: exitOf(
      report,
      failed.map(({ error }) => error),
      options.exitCode,
    ),
  };
}

/** papersFolders are the folders to look into: those named, else the usual ones. */
export function papersFolders(folders: readonly string[]): string[] {
  return (folders.length === 0 ? ['out'] : folders).map((folder) => resolve(folder));
}

function exitOf(report: NodesReport, errors: readonly PlinthError[], wanted: boolean) {
  const partial = asExitCode(exitOfNodes(report.nodes.length, errors));
  if (partial !== exitCodes.ok) return partial;
  const isClean =
    report.complete &&
    report.releases.every(({ report: { counts } }) => counts.open === 0 && counts.unknown === 0);
  return wanted && !isClean ? exitCodes.findings : exitCodes.ok;
}
