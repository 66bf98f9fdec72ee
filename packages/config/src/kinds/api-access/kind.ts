import { z } from 'zod';
import { EXAMPLE_CERTIFICATE, indented } from '../../framework/example-certificate.ts';
import { defineKind } from '../../framework/kind.ts';
import { authorityPem } from './authority.ts';

export const apiAccessKind = defineKind({
  kind: 'ApiAccess',
  property: 'api',
  count: 'one',
  summary: "Who may call the node's API.",
  schema: z.strictObject({
    clientAuthorities: z
      .array(authorityPem)
      .min(1)
      .max(16)
      .describe(
        'Certificates of the authorities, PEM, that vouch for clients. The organisation in a client certificate is its role: plinth:reader, plinth:operator or plinth:admin.',
      ),
  }),
  example: `apiVersion: plinth.dev/v1alpha1
kind: ApiAccess
clientAuthorities:
  - |
${indented(EXAMPLE_CERTIFICATE, 4)}
`,
  render: () => [],
  // plinthd hands the authorities to its listener once.
  effects: { '': { kind: 'restart', unit: 'plinthd.service' } },
  reach: [''],
});
