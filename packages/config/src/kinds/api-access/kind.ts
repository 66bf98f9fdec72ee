import { z } from 'zod';
import { authorityPem } from '../../framework/authority.ts';
import { EXAMPLE_CERTIFICATE, indented } from '../../framework/example-certificate.ts';
import { defineKind } from '../../framework/kind.ts';
import { builtInRoles, oidcSchema } from './oidc.ts';

/** Built-in names have a colon, so that none can be taken. */
const roleName = z
  .string()
  .max(32)
  .regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens, such as "log-reader"');

const methodPattern = z
  .string()
  .max(64)
  .regex(
    /^[A-Za-z*]+(\.[A-Za-z*]+)?$/,
    'expected methods such as "LogsService.ReadLogs" or "NodeService.Get*"',
  );

const nodePattern = z
  .string()
  .max(63)
  .regex(/^[a-z0-9*-]+$/, 'expected names of nodes such as "w1" or "worker-*"');

const nodeLabels = z
  .record(z.string().max(317), z.string().max(63))
  .refine((labels) => Object.keys(labels).length > 0, 'expected at least one label')
  .refine((labels) => Object.keys(labels).length <= 16, 'expected at most 16 labels');

const ownRole = z.strictObject({
  name: roleName.describe('The organisation in the client certificate: "plinth access issue --role NAME".'),
  methods: z
    .array(methodPattern)
    .min(1)
    .max(64)
    .describe(
      'Methods of the API it may call and no others: "NodeService.Get*"; a star stands for any letters.',
    ),
  nodes: z
    .array(nodePattern)
    .min(1)
    .max(64)
    .optional()
    .describe('Nodes it holds on, by name: "worker-*". Without it: on every node that has this document.'),
  nodeLabels: nodeLabels
    .optional()
    .describe(
      'Labels that a node must have for the role to hold there, all of them: those under "labels" in the document Kubelet of the same node. Not those that the cluster has: who may label nodes must not give away rights here.',
    ),
});

export const apiAccessKind = defineKind({
  kind: 'ApiAccess',
  property: 'api',
  count: 'one',
  summary: "Who may call the node's API.",
  schema: z
    .strictObject({
      clientAuthorities: z
        .array(authorityPem)
        .min(1)
        .max(16)
        .describe(
          'Certificates of the authorities, PEM, that vouch for clients. The organisation in a client certificate is its role: plinth:reader, plinth:operator or plinth:admin.',
        ),
      roles: z
        .array(ownRole)
        .max(32)
        .optional()
        .describe('Roles beside plinth:reader, plinth:operator and plinth:admin.'),
      oidc: oidcSchema
        .optional()
        .describe('An issuer that people log in with: "plinth access login" gives them a short certificate.'),
    })
    .superRefine(({ roles = [], oidc }, context) => {
      const known = [...builtInRoles, ...roles.map(({ name }) => name)];
      for (const [index, { role }] of (oidc?.roles ?? []).entries()) {
        if (known.includes(role)) continue;
        const message = `expected one of ${known.join(', ')}: no such role is in this document`;
        context.addIssue({ code: 'custom', path: ['oidc', 'roles', index, 'role'], message });
      }
    }),
  example: `apiVersion: plinth.dev/v1alpha1
kind: ApiAccess
clientAuthorities:
  - |
${indented(EXAMPLE_CERTIFICATE, 4)}
roles:
  - name: log-reader
    methods: [LogsService.*, NodeService.GetHealth]
    nodes: [worker-*]
  - name: rack-operator
    methods: [MachineService.*]
    nodeLabels: { topology.kubernetes.io/zone: rack-4 }
oidc:
  issuer: https://login.example/realms/ops
  clientId: plinth
  certificateAuthority: |
${indented(EXAMPLE_CERTIFICATE, 4)}
  scopes: [profile, groups]
  roles:
    - { role: admin, groups: [platform-admins] }
    - { role: log-reader, groups: [developers] }
`,
  render: () => [],
  // plinthd hands the authorities to its listener once.
  effects: { '': { kind: 'restart', unit: 'plinthd.service' } },
  reach: [''],
});
