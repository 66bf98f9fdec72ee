import { z } from 'zod';
import type { DeepReadonly } from '../../framework/kind.ts';
import { amount, bytes, duration, processors, secondsOf } from '../../framework/values.ts';
import { labels } from './labels.ts';

/** What a kubelet has when nobody says anything else: Plinth's own settings, then those of Kubernetes. */
export const DEFAULTS = {
  shutdownGracePeriod: '60s',
  shutdownGracePeriodCriticalPods: '20s',
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  imageMinimumGCAge: '2m',
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '10%',
    'nodefs.inodesFree': '5%',
    'imagefs.available': '15%',
    'imagefs.inodesFree': '5%',
  },
} as const;

const free = (what: string, signal: keyof (typeof DEFAULTS)['evictionHard']) =>
  amount.describe(`${what}; otherwise ${DEFAULTS.evictionHard[signal]}.`).optional();

const evictionHard = z
  .strictObject({
    'memory.available': free('Memory', 'memory.available'),
    'nodefs.available': free('Space on /var', 'nodefs.available'),
    'nodefs.inodesFree': free('Inodes on /var', 'nodefs.inodesFree'),
    'imagefs.available': free('Space for images, on /var as well', 'imagefs.available'),
    'imagefs.inodesFree': free('Inodes for images', 'imagefs.inodesFree'),
  })
  .describe('Below these pods are ended at once to save the node.');

const systemReserved = z
  .strictObject({
    cpu: processors.describe('Processors: 1, 250m.').optional(),
    memory: bytes.describe('Memory: 512Mi.').optional(),
    'ephemeral-storage': bytes.describe('Space on /var: 2Gi.').optional(),
  })
  .describe('What pods do not get: kept for the services of the node.');

const fields = z.strictObject({
  labels: labels.optional(),
  maxPods: z
    .int()
    .min(1)
    .max(250)
    .describe('The most pods; otherwise 110. A node has addresses for 254.')
    .optional(),
  podPidsLimit: z
    .int()
    .min(128)
    .max(1_048_576)
    .describe('The most processes and threads of one pod; otherwise 4096.')
    .optional(),
  systemReserved: systemReserved.optional(),
  evictionHard: evictionHard.optional(),
  imageGCHighThresholdPercent: z
    .int()
    .min(1)
    .max(100)
    .describe('Fullness of /var at which images that no container uses are removed; otherwise 85.')
    .optional(),
  imageGCLowThresholdPercent: z
    .int()
    .min(0)
    .max(99)
    .describe('Fullness of /var at which the removing ends; otherwise 80.')
    .optional(),
  // The kubelet takes no time at all for nothing said.
  imageMinimumGCAge: duration('1s', '24h')
    .describe('How long an image stays at least; otherwise 2m.')
    .optional(),
  imageMaximumGCAge: duration('1m', '8760h')
    .describe(
      'How long an image stays that no container uses, however much space there is; otherwise for ever.',
    )
    .optional(),
  shutdownGracePeriod: duration('1s', '30m')
    .describe('How long a reboot waits for pods to end; otherwise 60s.')
    .optional(),
  shutdownGracePeriodCriticalPods: duration('1s', '30m')
    .describe('How much of it is for critical pods, which end last; otherwise 20s.')
    .optional(),
  containerLogMaxSize: bytes
    .describe('Size at which the log of a container is begun anew; otherwise 10Mi.')
    .optional(),
  containerLogMaxFiles: z
    .int()
    .min(2)
    .max(100)
    .describe('How many files of the log of a container are kept; otherwise 5.')
    .optional(),
});

/** Settings of the kubelet that a node may have of its own, under the names the kubelet gives them. */
export const kubeletSchema = fields.superRefine((given, context) => {
  const problem = (path: keyof typeof given, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  const seconds = (text: string) => secondsOf(text) ?? 0;
  const high = given.imageGCHighThresholdPercent ?? DEFAULTS.imageGCHighThresholdPercent;
  const low = given.imageGCLowThresholdPercent ?? DEFAULTS.imageGCLowThresholdPercent;
  if (low >= high)
    problem(
      given.imageGCLowThresholdPercent === undefined
        ? 'imageGCHighThresholdPercent'
        : 'imageGCLowThresholdPercent',
      `expected images to be removed from ${high} % down to less, not to ${low} %`,
    );
  const least = given.imageMinimumGCAge ?? DEFAULTS.imageMinimumGCAge;
  if (given.imageMaximumGCAge !== undefined && seconds(given.imageMaximumGCAge) <= seconds(least))
    problem('imageMaximumGCAge', `expected more than imageMinimumGCAge, ${least}`);
  const grace = given.shutdownGracePeriod ?? DEFAULTS.shutdownGracePeriod;
  const critical = given.shutdownGracePeriodCriticalPods ?? DEFAULTS.shutdownGracePeriodCriticalPods;
  if (seconds(critical) > seconds(grace))
    problem(
      given.shutdownGracePeriod === undefined ? 'shutdownGracePeriodCriticalPods' : 'shutdownGracePeriod',
      `expected at least the ${critical} of critical pods, not ${grace}`,
    );
});

export type Kubelet = DeepReadonly<z.infer<typeof kubeletSchema>>;
