import { z } from 'zod';
import { authorityPem } from '../../framework/authority.ts';
import { EXAMPLE_CERTIFICATE, indented } from '../../framework/example-certificate.ts';
import { type DeepReadonly, defineKind } from '../../framework/kind.ts';
import { serverName } from '../../framework/names.ts';

/** Words of syslog for how bad something is, worst first; the place is the number (RFC 5424). */
export const priorities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

const schema = z.strictObject({
  server: serverName.describe('The server for logs, by the name or address that its certificate is for.'),
  port: z.int().min(1).max(65_535).default(6514).describe('Its port for syslog over TLS.'),
  certificateAuthority: authorityPem.describe(
    'Certificate of the authority, PEM, that vouches for the server; no other is taken.',
  ),
  priority: z.enum(priorities).default('info').describe('Entries that matter less stay on the node.'),
});

/** Where a node sends its journal. */
export type LogShipping = DeepReadonly<z.infer<typeof schema>>;

export const logShippingKind = defineKind({
  kind: 'LogShipping',
  property: 'logShipping',
  count: 'at-most-one',
  summary: 'A server that the node sends its journal to.',
  notes: [
    'plinthd sends the entries of the journal as syslog (RFC 5424) over TLS (RFC 5425), from the beginning of the boot in which it is first told to, and then on. While the server cannot be reached they wait in the journal, and the check `log-shipping` of the health says so. Entries that were on their way when a connection broke may be missing or come twice: syslog knows no answer.',
    'Logs of containers are not in the journal and are not sent. A message is cut at 32 KiB.',
  ],
  schema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: LogShipping
server: logs.example
certificateAuthority: |
${indented(EXAMPLE_CERTIFICATE, 2)}
priority: notice
`,
  render: () => [],
  // plinthd looks at it while it runs.
  effects: { '': { kind: 'live' } },
  reach: [],
});
