import { EXAMPLE_CERTIFICATE, indented } from '../../framework/example-certificate.ts';
import { defineKind } from '../../framework/kind.ts';
import { updatePolicySchema } from './schema.ts';

export const updatePolicyKind = defineKind({
  kind: 'UpdatePolicy',
  property: 'updatePolicy',
  count: 'at-most-one',
  summary: 'Where versions of the system come from, and what a new one has to show before it is kept.',
  notes: [
    'Sources say only where bytes come from. Whom to believe is in the image: every release is checked against the keys of its owner, whichever server or mirror sent it.',
    'A new version is on trial until the checks of the node and those named here pass in one look. When they do not within the deadline the node reboots; after three tries the boot loader takes the version before, and the node does not take the failed one again by itself. A version that was kept is not put on trial again: the checks do not reboot a node later.',
    'The node stages and activates a version when it is told to; nothing here lets it do that by itself. A hot layer it takes by itself where hotLayers is "automatic"; one that failed on this node it takes again only when it is told to.',
  ],
  schema: updatePolicySchema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: UpdatePolicy
channel: stable
sources:
  - https://updates.example/plinth
  - https://mirror.example/plinth
certificateAuthority: |
${indented(EXAMPLE_CERTIFICATE, 2)}
bytesPerSecond: 20000000
hotLayers: automatic
health:
  deadlineMinutes: 15
  checks:
    - name: ingress
      pod:
        namespace: ingress
        labels: app=ingress
    - name: web
      http:
        url: https://127.0.0.1:8443/healthz
        status: 200
    - name: storage
      unit: multipathd.service
    - name: upstream
      tcp:
        host: 10.5.0.1
        port: 3260
`,
  render: () => [],
  // plinthd looks at it when it stages, checks and assesses.
  effects: { '': { kind: 'live' } },
  reach: [],
});
