import { askNode } from '../client/ask-node.ts';
import { durationMs } from '../client/duration.ts';
import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { integer, required } from '../framework/options.ts';
import { plainText } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';

export const restartCommand = defineCommand({
  path: ['restart'],
  summary: 'Restart a service that belongs to the system',
  details: ['Pods go on: they outlive containerd and the kubelet. "plinth get machine" lists the services.'],
  examples: [
    { run: 'plinth restart containerd', what: 'on the current node' },
    { run: 'plinth restart kubelet --context w1', what: 'on another' },
  ],
  options: {
    context: nodeOptions.context,
    timeout: integer('SECONDS', { min: 1, max: 600, fallback: 60 }, 'Bound on its answer'),
  },
  args: { service: required('SERVICE', 'Its name, for instance "containerd"') },
  run: async ({ args: { service }, options }, context) => {
    const { messageData, RestartServiceResponseSchema } = await import('@plinth/api');
    const answer = await askNode(options, context, (node) => node.machine.restartService(service));
    const tookMs = durationMs(answer.duration);
    const said = tookMs === 0 ? 'restarts' : `runs again after ${formatDuration(tookMs)}`;
    return {
      data: messageData(RestartServiceResponseSchema, answer),
      view: [plainText(`${service} ${said}.`)],
    };
  },
});
