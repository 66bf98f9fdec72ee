import type { CodeTable } from './types.ts';

export const tunnelCodes = {
  'tunnel/peer-unknown': {
    meaning: 'The node in between knows no peer of that name.',
    cause: 'A spelling mistake, a node of another cluster, or one that has left.',
    fix: 'Run "plinth get peers" and name one of these; a node of another cluster needs a context of its own.',
  },
  'tunnel/peer-unreachable': {
    meaning: 'The node in between cannot reach the peer.',
    cause: 'The peer is off or booting, or the network between the two nodes is broken.',
    fix: 'Try again through another node with --context, or dial the node itself.',
  },
} as const satisfies CodeTable;
