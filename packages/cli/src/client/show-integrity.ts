import { GetIntegrityResponseSchema, messageData, Verdict } from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, plainText, table } from '../output/blocks.ts';
import { askNode } from './ask-node.ts';
import type { NodeOptions } from './node-options.ts';
import { checkFixes, checksTable, verdictExit, verdictMark, verdictWord } from './verdicts.ts';

/** showIntegrity asks a node for its integrity and shows every check. @throws cli/context-missing, cli/config-invalid, api/… */
export async function showIntegrity(
  options: NodeOptions & { readonly mounts: boolean; readonly pcrs: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.getIntegrity());
  const fixes = checkFixes(answer.checks);
  return {
    data: messageData(GetIntegrityResponseSchema, answer),
    view: [
      checksTable(answer.checks),
      ...(options.mounts ? [mountsTable(answer.mounts)] : []),
      ...(options.pcrs ? [pcrsTable(answer.pcrs)] : []),
      facts([
        ['root hash', answer.rootHash || '<none>'],
        ['verdict', verdictMark(answer.verdict, context.style)(verdictWord(answer.verdict))],
      ]),
      ...(fixes === undefined ? [] : [plainText(fixes)]),
    ],
    ...verdictExit(options.exitCode, answer.verdict === Verdict.PASS),
  };
}

type Answer = import('@plinth/api').GetIntegrityResponse;

function mountsTable(mounts: Answer['mounts']) {
  return table(
    [
      { header: 'PATH', value: (mount) => mount.target },
      { header: 'TYPE', value: (mount) => mount.fileSystem },
      { header: 'FLAGS', value: (mount) => mount.flags.join(',') },
      {
        header: 'VERDICT',
        value: (mount) => verdictWord(mount.verdict),
        mark: (mount, style) => verdictMark(mount.verdict, style),
      },
      { header: 'DIFFERENCE', value: (mount) => mount.difference },
      { header: 'SOURCE', value: (mount) => mount.source, wide: true },
      { header: 'RULE', value: (mount) => mount.rule, wide: true },
    ],
    mounts,
  );
}

function pcrsTable(pcrs: Answer['pcrs']) {
  return table(
    [
      { header: 'PCR', value: (pcr) => String(pcr.index), align: 'right' },
      { header: 'SHA256', value: (pcr) => pcr.sha256 },
      { header: 'MEANING', value: (pcr) => pcr.meaning, wide: true },
    ],
    pcrs,
    'The node has no TPM.',
  );
}
