import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import {
  type AuditCheckpoint,
  type AuditVerdict,
  type AuditVerifier,
  type NodeClient,
  openAuditVerifier,
} from '@plinth/api';
import { exitCodes } from '@plinth/base';
import { ioError } from '@plinth/host';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands, plainText } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { askNode } from './ask-node.ts';
import { chooseContext } from './choose-context.ts';
import { contextsPath, readContexts } from './contexts-file.ts';
import type { OnNodesOptions } from './many-nodes.ts';
import type { NodeOptions } from './node-options.ts';
import { parseTime } from './parse-time.ts';
import { readHead, writeHead } from './remember-head.ts';
import { writeNodeStream } from './stream-nodes.ts';

export interface AuditLogOptions extends Omit<OnNodesOptions, 'timeout'> {
  readonly follow: boolean;
  readonly since: string | undefined;
}

type OneNodeOptions = Pick<NodeOptions, 'context' | 'timeout'>;

/** Bound on reaching a node; what it then sends has none. */
const DIAL_SECONDS = 20;
/** A log never takes more: see open-node-audit.ts of the agent. */
const LOG_LIMIT_BYTES = 256 * 1024 * 1024;

/** showAuditLog writes the calls of one or several nodes, one a line. @throws cli/usage, cli/context-missing, api/… */
export function showAuditLog(
  options: AuditLogOptions,
  context: CommandContext,
): Promise<CommandResult | undefined> {
  const { follow, since } = options;
  const request = {
    follow,
    ...(since !== undefined && { since: parseTime(since, '--since', Date.now()) }),
  };
  return writeNodeStream({ ...options, timeout: DIAL_SECONDS }, context, {
    open: (node) => node.audit.read(request),
    render: (lines, node, many) =>
      lines
        .map((line) =>
          context.format === 'json'
            ? jsonOf(line, node)
            : renderLine(line, many ? node : undefined, context.style),
        )
        .join(''),
  });
}

/** The stored line is JSON already; the node's name goes in front of its fields. */
function jsonOf(line: string, node: string): string {
  const entry = parse(line);
  return `${JSON.stringify(entry ? { node, ...entry } : { node, unreadable: line })}\n`;
}

/** renderLine is one line of the log for people: time, who, what, how it went. */
export function renderLine(line: string, node: string | undefined, style: Style): string {
  const entry = parse(line);
  if (!entry) return `${style.bad('not an audit line')}: ${printable(line)}\n`;
  const text = (key: string) => printable(String(entry[key] ?? ''));
  const result = text('result');
  const mark = result === 'ok' || result === '' ? style.faint : style.bad;
  const parts = [
    style.faint(text('time')),
    ...(node === undefined ? [] : [style.active(printable(node))]),
    text('caller') || '-',
    style.strong(text('method') || text('event')),
    ...(text('arguments') === '' ? [] : [text('arguments')]),
    mark(
      text('event') === 'api.begin' ? 'begins' : result === '' ? '' : `${result} ${text('durationMs')} ms`,
    ),
    ...(text('reason') === '' ? [] : [text('reason')]),
  ];
  return `${parts.filter((part) => part !== '').join(' ')}\n`;
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** exportAuditLog writes the lines of a node to a new file, byte for byte. @throws host/io, api/… */
export async function exportAuditLog(
  options: OneNodeOptions,
  path: string,
  context: CommandContext,
): Promise<CommandResult> {
  const lines: string[] = [];
  await askNode(options, context, (node) => eachLine(node, 1, (line) => lines.push(`${line}\n`)));
  await writeFile(path, lines.join(''), { mode: 0o600, flag: 'wx' }).catch((reason: unknown) => {
    throw ioError(reason, `write ${path}`);
  });
  return {
    data: { path, lines: lines.length },
    names: [path],
    view: [
      plainText(`${path}: ${lines.length} lines.`),
      nextCommands([[`plinth audit verify --file ${path}`, 'check it']]),
    ],
  };
}

/**
 * verifyAuditLog checks the log of a node against itself and against the newest line seen before, which it then remembers.
 * @param sinceCheckpoint only what came after the remembered line
 */
export async function verifyAuditLog(
  options: OneNodeOptions,
  sinceCheckpoint: boolean,
  context: CommandContext,
): Promise<CommandResult> {
  const { env } = context;
  const chosen = chooseContext(await readContexts(contextsPath(env)), options.context, env);
  const { fingerprint } = chosen.context;
  const remembered = await readHead(env, fingerprint);
  const part = sinceCheckpoint && remembered !== undefined;
  const verifier = openAuditVerifier(remembered, { part });
  const verdict = await askNode(options, context, async (node) => {
    await eachLine(node, part ? remembered.sequence : 1, verifier.add);
    return verifier.finish();
  });
  // A head that does not follow from the one remembered must not take its place, or the next look would find nothing.
  if (verdict.verdict !== 'fail' && verdict.head) await writeHead(env, fingerprint, verdict.head);
  return verdictResult(chosen.name, verdict, remembered);
}

/** verifyAuditFile checks an exported log. @throws host/io */
export async function verifyAuditFile(path: string): Promise<CommandResult> {
  const verifier = openAuditVerifier(undefined);
  await readLines(path, verifier);
  return verdictResult(path, verifier.finish(), undefined);
}

async function readLines(path: string, verifier: AuditVerifier): Promise<void> {
  const input = createReadStream(path);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))
      verifier.add(line);
  } catch (reason) {
    throw ioError(reason, `read ${path}`);
  }
}

async function eachLine(node: NodeClient, from: number, take: (line: string) => void): Promise<void> {
  let sizeBytes = 0;
  for await (const lines of node.audit.read({ fromSequence: BigInt(from) })) {
    for (const line of lines) {
      sizeBytes += line.length;
      if (sizeBytes > LOG_LIMIT_BYTES) return;
      take(line);
    }
  }
}

const WORDS = {
  pass: 'sound: no edit, no gap, no cut',
  fail: 'NOT SOUND',
  unknown: 'sound in itself, but cannot be compared with what was seen before',
} as const;

function verdictResult(
  subject: string,
  { verdict, problems, lines, first, head }: AuditVerdict,
  remembered: AuditCheckpoint | undefined,
): CommandResult {
  const compared = remembered ? `line ${remembered.sequence}, seen earlier` : 'nothing seen earlier';
  return {
    data: { subject, verdict, problems, lines, first, head: head ?? null, remembered: remembered ?? null },
    names: [verdict],
    view: [
      facts([
        ['log', subject],
        ['verdict', WORDS[verdict]],
        ['lines', lines === 0 ? 'none' : `${first} to ${head?.sequence ?? first}`],
        ['compared with', compared],
        ['head', head?.hash ?? 'none'],
      ]),
      ...(problems.length > 0 ? [plainText(problems.map((problem) => `  ${problem}`).join('\n'))] : []),
    ],
    exitCode: verdict === 'pass' ? exitCodes.ok : exitCodes.findings,
  };
}
