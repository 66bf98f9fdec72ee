import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const agentCodes = {
  'api/bad-credentials': {
    meaning: 'The client certificate, its key or the expected fingerprint cannot be used.',
    cause:
      'A file that is not PEM, a key that does not belong to the certificate, or a mistyped fingerprint.',
    fix: 'Make new credentials with "plinth keys init", or copy the fingerprint from the node\'s console again.',
    exitCode: exitCodes.usage,
  },
  'api/bad-request': {
    meaning: 'The node does not understand what it was asked for.',
    cause: 'A value that is out of range or has another form than expected; the message says which.',
    fix: 'Mend the value named in the message.',
    exitCode: exitCodes.usage,
  },
  'api/broken-transfer': {
    meaning: 'A file on its way to or from the node had another size than announced.',
    cause: 'The file was changed while it was sent, or the connection broke.',
    fix: 'Try again; nothing was stored.',
  },
  'api/failed': {
    meaning: 'The node answered with an error.',
    cause: 'A fault inside plinthd; its log on the node has the details.',
    fix: "Try again, and read the node's console if it stays.",
  },
  'api/forbidden': {
    meaning: 'The node does not accept the caller.',
    cause:
      'The client certificate is missing, expired, signed by an authority that is not in the machine config, or has no Plinth role as its organisation.',
    fix: 'Ask for a certificate with the role that the message names ("plinth access issue NAME --role ROLE"), from an authority in ApiAccess of the node.',
    exitCode: exitCodes.forbidden,
  },
  'api/identity-mismatch': {
    meaning: 'Another node than the expected one answers at this address.',
    cause: 'The node was made anew, the address moved to another machine, or someone listens in between.',
    fix: "Compare with the fingerprint on the node's console before you trust it again.",
    exitCode: exitCodes.forbidden,
  },
  'api/not-found': {
    meaning: 'The node does not have what was named.',
    cause: 'A spelling mistake, or it was removed since.',
    fix: 'Ask the node for what it has, and name one of these.',
  },
  'api/overloaded': {
    meaning: 'The node refused the call because it has too many at once.',
    cause: 'Many clients or a loop that calls without pause.',
    fix: 'Wait a few seconds and call again.',
  },
  'api/protocol': {
    meaning: 'Something answers at this address, but not the node API.',
    cause:
      'Another service uses the port, or a proxy stands in between that does not pass TLS 1.3 and HTTP/2 through.',
    fix: 'Check address and port; plinthd listens on TCP 7546.',
  },
  'api/refused': {
    meaning: 'The node refuses to do this in its present state.',
    cause: 'The message says which state; the node changed nothing.',
    fix: 'Bring the node into the state that the message names, then try again.',
  },
  'api/timeout': {
    meaning: 'The node did not answer within the time limit.',
    cause: 'The node is still booting or overloaded, or a firewall drops packets.',
    fix: "Look at the node's console, then try again with a larger --timeout.",
    exitCode: exitCodes.timedOut,
  },
  'api/unreachable': {
    meaning: 'No connection to the node could be made.',
    cause: 'The node is off or still booting, its config cannot be used any more, or the address is wrong.',
    fix: 'Look at the node\'s console: a line "plinth: api ready" shows when it listens, "plinth: maintenance" why it does not.',
  },
  'api/unsupported': {
    meaning: 'The node does not know this call.',
    cause: 'Its plinthd is older than this client.',
    fix: "Update the node, or use the client of the node's version.",
  },
  'agent/config-missing': {
    meaning: 'No source gives a machine config; the node waits in maintenance.',
    cause:
      'A machine started without fw_cfg or SMBIOS config, config drive or user data of its cloud, and /var holds none from before.',
    fix: 'Give the machine a config: "plinth apply FILE --insecure", or another way (docs/reference/sources.md).',
  },
  'agent/bundle-failed': {
    meaning: 'The plinthd executable could not be built.',
    cause: 'A broken dependency folder, or a Node of another version than the one pinned.',
    fix: 'Run "npm ci --ignore-scripts" and build again.',
  },
} as const satisfies CodeTable;
