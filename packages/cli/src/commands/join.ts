import { actOptions, actTimes } from '../client/act-options.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required, text } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';

export const joinCommand = defineCommand({
  path: ['join'],
  summary: 'Let a node join the cluster of a control plane',
  details: ['The invitation is for this node only, good once and for minutes; it is not shown.'],
  examples: [
    { run: 'plinth join --context w1 cp1', what: 'node w1 becomes a worker' },
    { run: 'plinth join --context cp2 cp1 --control-plane', what: 'node cp2 becomes a control plane' },
  ],
  options: {
    controlPlane: flag('As a control plane; default: as a worker'),
    address: text('IP', 'Where other nodes reach it; needed when it has several'),
    ...actOptions,
  },
  args: { inviter: required('CONTROL-PLANE', 'Context of a control plane of the cluster') },
  run: async ({ args: { inviter }, options }, context) => {
    const { joinNode } = await import('../flows/node-acts.ts');
    const { NodeRole } = await import('@plinth/api');
    const role = options.controlPlane ? NodeRole.CONTROL_PLANE : NodeRole.WORKER;
    const node = await joinNode(
      { ...options, ...actTimes(options), inviter, role, address: options.address ?? '' },
      context,
    );
    const what = options.controlPlane ? 'control-plane' : 'worker';
    return { data: { node, role: what }, view: [plainText(`Node "${node}" has joined as ${what}.`)] };
  },
});
