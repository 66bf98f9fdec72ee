import { z } from 'zod';
import { authorityPem } from '../../framework/authority.ts';
import { imageProcess } from '../../framework/image-process.ts';
import type { DeepReadonly } from '../../framework/kind.ts';
import { serverName } from '../../framework/names.ts';
import { keyed } from '../../framework/notes.ts';
import { pinnedImage } from '../../framework/pinned-image.ts';
import { duration } from '../../framework/values.ts';
import { addressProblem } from './address.ts';

const address = z
  .string()
  .max(1000)
  .superRefine((text, context) => {
    const problem = addressProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

const LABELS = /^[A-Za-z0-9._/-]+(=[A-Za-z0-9._-]*)?(,[A-Za-z0-9._/-]+(=[A-Za-z0-9._-]*)?)*$/;

const http = z.strictObject({
  url: address.describe('Asked with GET from the node itself; redirects are not followed.'),
  status: z.int().min(100).max(599).default(200).describe('The status that is healthy.'),
  certificateAuthority: authorityPem
    .optional()
    .describe('Authority that vouches for the server; default: those the image trusts.'),
});

const tcp = z.strictObject({
  host: serverName.describe('Where a connection is opened to.'),
  port: z.int().min(1).max(65_535).describe('Its port.'),
});

const pod = z.strictObject({
  namespace: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'expected the name of a namespace')
    .describe('Where the pod is.'),
  labels: z
    .string()
    .max(500)
    .regex(LABELS, 'expected labels as of a selector: app=web,tier=front')
    .describe(
      'Labels of the pod. Every pod of this node that has them must be ready, and there must be one.',
    ),
});

const container = z.strictObject({
  image: pinnedImage.describe(
    'The image, by its digest. It is pulled by the settings of Registries, and its container has the network of the node.',
  ),
  ...imageProcess,
  timeout: duration('1s', '5m').default('1m').describe('The longest it may run; then it has failed.'),
});

const check = z
  .strictObject({
    name: z
      .string()
      .max(33)
      .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens')
      .describe('What the check is called in reports.'),
    http: http.optional().describe('A server answers.'),
    tcp: tcp.optional().describe('A port takes connections.'),
    unit: z
      .string()
      .max(255)
      .regex(/^[A-Za-z0-9:_.@-]+\.(service|socket|mount|target)$/, 'expected a unit: name.service')
      .optional()
      .describe('A unit of systemd is active.'),
    pod: pod.optional().describe('Pods of this node are ready; on a member of a cluster only.'),
    container: container
      .optional()
      .describe('A container of your own ends with exit code 0. It is run again until it does.'),
  })
  .superRefine((value, context) => {
    const given = [value.http, value.tcp, value.unit, value.pod, value.container].filter(
      (each) => each !== undefined,
    );
    if (given.length !== 1)
      context.addIssue({
        code: 'custom',
        message: 'expected exactly one of http, tcp, unit, pod, container',
      });
  });

const health = z.strictObject({
  deadlineMinutes: z
    .int()
    .min(2)
    .max(120)
    .default(10)
    .describe('How long after its start a version on trial may take until every check passes.'),
  checks: keyed(check, 'name', 32)
    .default([])
    .describe('What has to hold beside the checks of the node itself.'),
});

export const updatePolicySchema = z.strictObject({
  channel: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'expected the name of a channel: stable')
    .default('stable')
    .describe('Which releases are for this node.'),
  sources: z
    .array(address)
    .min(1)
    .max(8)
    .describe(
      'Addresses of a release repository and its mirrors, asked in this order. No order of trust: all are checked alike.',
    ),
  certificateAuthority: authorityPem
    .optional()
    .describe('Authority that vouches for these servers; default: those the image trusts.'),
  bytesPerSecond: z
    .int()
    .min(10_000)
    .optional()
    .describe('The most that is fetched in a second; default: as fast as it comes.'),
  hotLayers: z
    .enum(['manual', 'automatic'])
    .default('manual')
    .describe(
      'Who takes fixes that need no reboot: "automatic" has the node look for a hot layer of its image a few times a day, merge it on trial, and keep it when the node stays healthy. It never reboots for one.',
    ),
  health: health.prefault({}).describe('What a version has to show before it is kept.'),
});

/** Where versions of the system come from, and when one is kept. */
export type UpdatePolicy = DeepReadonly<z.infer<typeof updatePolicySchema>>;
/** One check of the health contract that a config asks for; exactly one of its kinds is there. */
export type ContractCheck = UpdatePolicy['health']['checks'][number];
