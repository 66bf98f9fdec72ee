import { z } from 'zod';
import { digest, LIST_LIMIT, reasonText, severity, shortText, someText } from './values.ts';

/**
 * PlinthRelease: what nodes are brought to, in one disruption: system, Kubernetes, configuration, hot layer. Immutable but
 * for its recall. A part that is absent is left as it is.
 */
export const releaseSpec = z.object({
  os: z.object({ version: someText, rootHash: digest }).optional(),
  kubernetes: z.object({ version: someText, layerDigest: digest }).optional(),
  config: z
    .object({ configMap: z.object({ namespace: someText, name: someText, key: someText }), digest })
    .optional()
    .describe(
      'Documents of the machine config that all nodes of the policy get, in a ConfigMap that may not change any more',
    ),
  hotLayer: z.object({ serial: z.int().min(1), rootHash: digest }).optional(),
  channel: z
    .object({
      repository: z
        .string()
        .max(2048)
        .regex(/^https?:\/\/[^\s?#]+$/)
        .describe('Address of the release repository'),
      name: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,31}$/)
        .default('stable'),
    })
    .optional()
    .describe(
      'Where signed metadata say by when nodes should have the system; absent: the policy alone says it',
    ),
  severity: severity.default('Standard'),
  cves: z
    .array(z.string().regex(/^CVE-\d{4}-\d{4,19}$/))
    .max(LIST_LIMIT)
    .default([]),
  upgradeFrom: z
    .array(shortText)
    .max(LIST_LIMIT)
    .default([])
    .describe('Version ranges (">=1.7.0") this may be reached from; empty: any'),
  blocked: z.boolean().default(false).describe('Recalled: nobody is brought to it any more'),
  blockedReason: reasonText.default(''),
  rebootRequired: z.boolean().default(true),
});
export type ReleaseSpec = z.infer<typeof releaseSpec>;
