import { defineKind } from '../../framework/kind.ts';
import { renderNetwork } from './render.ts';
import { networkSchema } from './schema.ts';

export const networkKind = defineKind({
  kind: 'Network',
  property: 'network',
  count: 'at-most-one',
  summary: 'Cards, addresses, routes and names.',
  schema: networkSchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: Network
interfaces:
  - mac: 52:54:00:0a:05:0b
    addresses: [10.5.0.11/24]
    gateway: 10.5.0.1
    dns: [10.5.0.2]
`,
  render: renderNetwork,
  effects: { '': { kind: 'reload', unit: 'systemd-networkd.service' } },
  reach: [''],
});
