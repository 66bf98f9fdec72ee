import {
  type Act,
  actKindName,
  actStateName,
  GetKubernetesResponseSchema,
  membershipName,
  messageData,
  nodeRoleName,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';

/** showKubernetes asks a node for its layers, its membership and its last act. @throws cli/context-missing, api/… */
export async function showKubernetes(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.kubernetes.get());
  const membership = membershipName(answer.membership);
  const rows: [string, string][] = [
    ['membership', membership],
    ...(membership === 'none'
      ? []
      : ([
          ['cluster', answer.cluster?.name ?? ''],
          ['role', nodeRoleName(answer.role)],
          ['version', answer.version],
          ['address', answer.nodeAddress],
        ] satisfies [string, string][])),
  ];
  return {
    data: messageData(GetKubernetesResponseSchema, answer),
    view: [
      facts(rows.map(([label, value]) => [label, printable(value) || '<unknown>'])),
      table(
        [
          { header: 'LAYER', value: (layer) => layer.version },
          { header: 'SOURCE', value: (layer) => layer.source },
          { header: 'ACTIVE', value: (layer) => (layer.active ? 'yes' : 'no') },
          { header: 'SIZE', value: (layer) => formatBytes(Number(layer.sizeBytes)), align: 'right' },
        ],
        answer.layers,
        'The node has no Kubernetes layer. "plinth kubernetes stage" brings one.',
      ),
      ...(answer.act ? actBlocks(answer.act) : []),
    ],
  };
}

/** actBlocks shows an act step by step, and why it failed. */
function actBlocks(act: Act): Block[] {
  const steps = table(
    [
      { header: 'STEP', value: (step) => step.name },
      {
        header: 'STATE',
        value: (step) => (step.duration || step.state ? actStateName(step.state) : 'to come'),
      },
      {
        header: 'TIME',
        value: (step) => (step.duration ? formatDuration(durationMs(step.duration)) : ''),
        align: 'right',
      },
      { header: 'WHAT', value: (step) => step.title },
      { header: 'NOTE', value: (step) => step.note, wide: true },
    ],
    act.steps,
    'The act has no steps.',
  );
  const said = act.failure;
  return [
    plainText(`Last act: ${actKindName(act.kind)}, ${actStateName(act.state)}.`),
    steps,
    ...(said
      ? [plainText(`${printable(said.code)}: ${printable(said.message)}\n  ${printable(said.hint)}`)]
      : []),
  ];
}
