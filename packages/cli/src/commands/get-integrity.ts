import { GetIntegrityResponseSchema, messageData, Verdict } from '@plinth/api';
import { askNode, nodeOptions } from '../client/node-options.ts';
import { checkFixes, checksTable, verdictExit, verdictMark, verdictWord } from '../client/verdicts.ts';
import { defineCommand } from '../framework/command.ts';
import { flag } from '../framework/options.ts';
import { facts, plainText, table } from '../output/blocks.ts';

export const getIntegrityCommand = defineCommand({
  path: ['get', 'integrity'],
  summary: 'Show whether the running system is the verified one',
  details: ['Read from kernel, firmware and TPM when asked; "unknown" is never fine.'],
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth get integrity', what: 'every check with its verdict' },
    { run: 'plinth get integrity --mounts --pcrs', what: 'and what they were judged by' },
    { run: 'plinth get integrity --exit-code -q', what: 'in a script' },
  ],
  options: {
    ...nodeOptions,
    mounts: flag('List every mount, judged against the path table'),
    pcrs: flag('List the platform configuration registers'),
  },
  args: {},
  run: async ({ options }, context) => {
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
  },
});

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
