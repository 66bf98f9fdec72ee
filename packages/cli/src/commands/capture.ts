import { nodeOptions } from '../client/node-options.ts';
import { byteSize } from '../framework/byte-size.ts';
import { defineCommand } from '../framework/command.ts';
import { maybeInteger, optional, short, text } from '../framework/options.ts';
import { timeSpan } from '../framework/time-span.ts';

export const captureCommand = defineCommand({
  path: ['capture'],
  summary: 'Capture packets of a node as pcapng, within limits',
  details: [
    'A filter is terms joined by "and": [not] tcp, udp, icmp, arp, ip, ip6, host ADDRESS, port NUMBER. Without the API of the node.',
  ],
  examples: [
    { run: "plinth capture --filter 'port 53' --reason x -w dns.pcapng", what: 'all interfaces' },
    { run: 'plinth capture eth0 --for 5m --reason x | tshark -r -', what: 'as they come' },
  ],
  options: {
    for: timeSpan({ min: '1s', max: '10m', fallback: '30s' }, 'How long'),
    maxSize: byteSize({ min: '4KiB', max: '256MiB', fallback: '10MiB' }, 'How much in all'),
    packets: maybeInteger('COUNT', { min: 1, max: 4_294_967_295 }, 'How many packets at most'),
    snapLength: byteSize({ min: '16B', max: '256KiB', fallback: '256KiB' }, 'How much of each packet'),
    filter: text('TEXT', 'Which packets'),
    reason: text('TEXT', 'Why, for the audit log; it must be said'),
    output: short('w', text('FILE', 'A new file; "-" for standard output, which is the default')),
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
  },
  args: { interface: optional('INTERFACE', 'Default: all') },
  run: async ({ options, args }, context) => {
    const { captureOnNode } = await import('../client/capture-packets.ts');
    return captureOnNode({ ...options, interface: args.interface }, context);
  },
});
