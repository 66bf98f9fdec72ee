import { z } from 'zod';
import { defineKind } from '../../framework/kind.ts';

export const hostName = z
  .string()
  .max(63)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'expected a host name of lower-case letters, digits and hyphens (RFC 1123)',
  );

export const machineKind = defineKind({
  kind: 'Machine',
  property: 'machine',
  count: 'one',
  summary: 'Who the node is.',
  schema: z.strictObject({
    name: hostName.describe(
      'Host name of the node, the name in its certificate and its name as a member of a cluster: lower-case letters, digits and hyphens, at most 63.',
    ),
  }),
  example: `apiVersion: plinth.dev/v1alpha1
kind: Machine
name: node-1
`,
  render: () => [],
  // The name is in the certificate that plinthd serves with.
  effects: { '': { kind: 'restart', unit: 'plinthd.service' } },
  reach: [],
});
