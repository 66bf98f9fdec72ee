import { resolve } from 'node:path';
import {
  addObservation,
  advisoryStorePath,
  findPapers,
  type NodesReport,
  observe,
  openAdvisoryStore,
  readObservations,
  readStatements,
  scanNodes,
} from '@plinth/advisory';
import { exitCodes, type PlinthError } from '@plinth/base';
import { exists } from '@plinth/host';
import type { KeyRing } from '@plinth/trust';
import { asExitCode, exitOfNodes, failureData, failures } from '../client/merge-results.ts';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import { openKeys } from '../flows/open-keys.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText } from '../output/blocks.ts';
import { type AskFleetOptions, askFleet } from './ask-fleet.ts';
import { printableData } from './printable-data.ts';
import { showNodes } from './show-nodes.ts';

export type ScanFleetOptions = AskFleetOptions &
  KeyFolderOptions & {
    /** Folder in which what was seen is kept. */
    readonly record?: string | undefined;
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
  // Before anything is asked: keys that cannot be opened are no reason to lose the answers.
  const keys = options.record === undefined ? undefined : await openKeys(options, context);
  const outcomes = await askFleet(options, context);
  const failed = outcomes.flatMap((one) => (one.ok ? [] : [one]));
  const states = outcomes.flatMap((one) => (one.ok ? [one.value] : []));
  const papers = await findPapers(await papersFolders(folders));
  const store = await openAdvisoryStore(advisoryStorePath(context.env));
  let report: NodesReport;
  try {
    report = await scanNodes(states, papers, store, {
      ...statements,
      // What is fixed is part of the record: without it nobody could tell that a node runs the fix.
      ...{ offline: options.offline, all: options.all || keys !== undefined },
      mirrors: { env: context.env },
      ...{ progress: context.progress, signal: context.signal },
    });
  } finally {
    await store.close();
  }
  const silent = failed.map(({ node }) => node);
  const problems = keys && options.record ? await record(report, silent, options, options.record, keys) : [];
  return {
    data: {
      ...report,
      complete: report.complete && failed.length === 0,
      failed: failed.map(({ node, error }) => ({ node, error: failureData(error) })),
    },
    view: [
      ...showNodes(printableData(report), { all: options.all, fold: context.format !== 'wide' }),
      ...failures(failed, context.style),
      ...(problems.length === 0 ? [] : [plainText(problems.join('\n'))]),
    ],
    names: report.nodes.map(({ node }) => node),
    exitCode: exitOf(
      report,
      failed.map(({ error }) => error),
      options.exitCode,
    ),
  };
}

/** Keeps what was seen, and says which earlier lines of the file are not believed. */
async function record(
  report: NodesReport,
  silent: readonly string[],
  { allNodes }: ScanFleetOptions,
  folder: string,
  keys: KeyRing,
): Promise<readonly string[]> {
  const path = resolve(folder);
  const { values, problems } = await readObservations(path, keys.certificates('release'));
  const seen = observe(report, silent, allNodes ? 'all' : 'some', values);
  await addObservation(path, seen, keys.signers.release);
  return problems;
}

/** papersFolders are the folders to look into: those named, else of the usual ones those that are there. */
async function papersFolders(folders: readonly string[]): Promise<string[]> {
  if (folders.length > 0) return folders.map((folder) => resolve(folder));
  const usual = ['out', 'advisories'].map((folder) => resolve(folder));
  const there = await Promise.all(usual.map((folder) => exists(folder)));
  return usual.filter((_, index) => there[index] === true || !there.includes(true));
}

function exitOf(report: NodesReport, errors: readonly PlinthError[], wanted: boolean) {
  const partial = asExitCode(exitOfNodes(report.nodes.length, errors));
  if (partial !== exitCodes.ok) return partial;
  const isClean =
    report.complete &&
    report.releases.every(({ report: { counts } }) => counts.open === 0 && counts.unknown === 0);
  return wanted && !isClean ? exitCodes.findings : exitCodes.ok;
}
