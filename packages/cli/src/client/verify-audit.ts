import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  type AuditCheckpoint,
  type AuditVerdict,
  type AuditVerifier,
  type NodeClient,
  openAuditVerifier,
} from '@plinth/api';
import { exitCodes, PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands, plainText } from '../output/blocks.ts';
import { askNode } from './ask-node.ts';
import { chooseContext } from './choose-context.ts';
import { contextsPath, readContexts } from './contexts-file.ts';
import type { NodeOptions } from './node-options.ts';
import { readHead, writeHead } from './remember-head.ts';
import { expectNewFile, saveNewFile } from './save-new-file.ts';

type OneNodeOptions = Pick<NodeOptions, 'context' | 'timeout'>;

/** Four times what a node keeps: see open-node-audit.ts of the agent. */
const LOG_LIMIT_BYTES = 256 * 1024 * 1024;

/** exportAuditLog writes the lines of a node to a new file, byte for byte. @throws cli/usage when the file exists; host/io, api/… */
export async function exportAuditLog(
  options: OneNodeOptions,
  path: string,
  context: CommandContext,
): Promise<CommandResult> {
  await expectNewFile(path);
  let lines = 0;
  await askNode(options, context, (node) => {
    const counted = async function* () {
      for await (const line of linesOf(node, 1)) {
        lines++;
        yield `${line}\n`;
      }
    };
    return saveNewFile(path, counted());
  });
  return {
    data: { path, lines },
    names: [path],
    view: [
      plainText(`${path}: ${lines} lines.`),
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
    for await (const line of linesOf(node, part ? remembered.sequence : 1)) verifier.add(line);
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

/** A log that does not end is no log: a part of it must not be taken for the whole. @throws api/failed */
async function* linesOf(node: NodeClient, from: number): AsyncGenerator<string> {
  let sizeBytes = 0;
  for await (const lines of node.audit.read({ fromSequence: BigInt(from) })) {
    for (const line of lines) {
      sizeBytes += line.length;
      if (sizeBytes > LOG_LIMIT_BYTES)
        throw new PlinthError('api/failed', 'Cannot read the audit log: over 256 MiB came, expected its end');
      yield line;
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
