import { join } from 'node:path';
import {
  applyWaivers,
  type CheckKnowledge,
  type CheckResult,
  checkSarif,
  countFindings,
  isComplete,
  listCluster,
  loadCheckKnowledge,
  loadObservedRules,
  ownerText,
  parseWaivers,
  readManifests,
  runCheck,
  simulateFixes,
  watchWorkloads,
} from '@plinth/advisor';
import { type Diagnostic, type ExitCode, exitCodes, PlinthError } from '@plinth/base';
import { readClusterAccess } from '@plinth/kube';
import { dayAsked } from '../advisor/as-of.ts';
import { readTextFile } from '../advisor/read-input.ts';
import { userKubeconfig } from '../cluster/kubeconfig.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { printable } from '../output/printable.ts';
import { repositoryRoot } from '../repository.ts';
import { readToolVersion } from '../tool-version.ts';
import { reportFiles, saveCheck } from './check-files.ts';
import { checkView, simulateView } from './check-view.ts';
import { joinNodes } from './join-nodes.ts';

/** Waivers are written by people; a larger file is another one. */
const WAIVERS_LIMIT_BYTES = 4 * 1024 * 1024;

export interface CheckOptions {
  readonly to: string;
  readonly live: boolean;
  readonly kubeconfig: string | undefined;
  readonly kubeContext: string | undefined;
  /** Contexts or nodes of the cluster, separated by commas, or "all". */
  readonly observed: string | undefined;
  readonly waivers: string | undefined;
  readonly simulate: boolean;
  /** Files to write, separated by commas; the ending says what each is. */
  readonly report: string | undefined;
  readonly exitCode: boolean;
  readonly asOf: string | undefined;
}

/**
 * checkWorkloads checks manifests or a live cluster for what breaks on another system.
 * @throws cli/usage, check/unknown-target, check/waivers-invalid, kube/bad-kubeconfig, kube/unreachable,
 *   check/nothing-read when nothing could be checked, host/io
 */
export async function checkWorkloads(
  sources: readonly string[],
  options: CheckOptions,
  context: CommandContext,
): Promise<CommandResult> {
  if (options.live === sources.length > 0)
    throw usageError(
      options.live
        ? 'SOURCE and --live are both given, expected one of them'
        : 'no SOURCE, expected files, folders, "-" for standard input, or --live',
    );
  const files = reportFiles(options.report);
  if (options.observed !== undefined && options.to !== 'plinth')
    throw usageError(
      `--observed and --to ${options.to} are both given, expected --to plinth: other systems are not asked`,
    );
  const known = await loadCheckKnowledge(options.to, join(repositoryRoot, 'os'), dayAsked(undefined));
  const waivers = await readWaivers(options.waivers, known);
  const result = applyWaivers(await readAndCheck(sources, options, known, context), waivers);
  if (result.objects === 0)
    throw new PlinthError(
      'check/nothing-read',
      'Cannot check anything: no object could be read, expected objects of Kubernetes',
      { diagnostics: result.problems.map(printableProblem) },
    );
  const version = await readToolVersion();
  for (const file of files) await saveCheck(file, result, version);
  const steps = options.simulate ? simulateFixes(result) : undefined;
  return {
    data: steps === undefined ? result : { ...result, simulation: steps },
    names: result.findings.map(({ rule, owner, subject }) =>
      printable(`${rule} ${ownerText(owner)} ${subject}`),
    ),
    document: () => checkSarif(result, version),
    view: steps === undefined ? checkView(result) : simulateView(result, steps),
    exitCode: exitCodeOf(result, options.exitCode),
  };
}

async function readWaivers(
  path: string | undefined,
  { rules }: CheckKnowledge,
): Promise<ReturnType<typeof parseWaivers>> {
  if (path === undefined) return [];
  // One file of waivers serves with --observed and without.
  const ruleIds = [...rules.keys(), ...(await loadObservedRules()).keys()];
  return parseWaivers(await readTextFile(path, WAIVERS_LIMIT_BYTES), path, ruleIds);
}

async function readAndCheck(
  sources: readonly string[],
  options: CheckOptions,
  known: CheckKnowledge,
  context: CommandContext,
): Promise<CheckResult> {
  const asOf = dayAsked(options.asOf);
  const { what, reads } = await openReads(sources, options, context);
  if (options.observed === undefined) return context.progress.step(what, () => runCheck(reads, known, asOf));
  const watched = watchWorkloads(reads);
  const result = await context.progress.step(what, () => runCheck(watched.reads, known, asOf));
  return joinNodes(result, watched.workloads(), options.observed, context);
}

async function openReads(sources: readonly string[], options: CheckOptions, context: CommandContext) {
  if (!options.live)
    return {
      what: 'Check manifests',
      reads: readManifests(sources, { stdin: process.stdin, signal: context.signal }),
    };
  const path = options.kubeconfig ?? userKubeconfig(context.env);
  const access = await readClusterAccess(path, options.kubeContext, context.signal);
  return { what: `Check the cluster at ${access.server.host}`, reads: listCluster(access, context.signal) };
}

/** Names of files in a folder come from outside, and must not command a terminal. */
function printableProblem(problem: Diagnostic): Diagnostic {
  const { message, span } = problem;
  return {
    ...problem,
    message: printable(message),
    ...(span && { span: { ...span, file: printable(span.file) } }),
  };
}

/** What could not be read may hide anything, so it comes before what was found. */
function exitCodeOf(result: CheckResult, isAsked: boolean): ExitCode {
  if (!isComplete(result)) return exitCodes.partial;
  return isAsked && countFindings(result).block > 0 ? exitCodes.findings : exitCodes.ok;
}
