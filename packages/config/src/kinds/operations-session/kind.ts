import { z } from 'zod';
import { type DeepReadonly, defineKind } from '../../framework/kind.ts';
import { pinnedImage } from '../../framework/pinned-image.ts';
import { publicKeyPem } from '../../framework/public-key.ts';
import { duration } from '../../framework/values.ts';

/** What a session may do: look at the node, or be root of it. */
export const sessionLevels = ['view', 'full'] as const;

const schema = z.strictObject({
  image: pinnedImage.describe(
    'The image with the tools, by its digest: registry.example/tools@sha256:…. Its entrypoint is a shell.',
  ),
  signedBy: z
    .array(publicKeyPem)
    .min(1)
    .max(8)
    .describe(
      'Public keys in PEM: the image has to be signed by one of them, as `cosign sign --key` does, with the signature in its registry. Without the field its digest is all that vouches for it.',
    )
    .optional(),
  levels: z
    .array(z.enum(sessionLevels))
    .min(1)
    .max(sessionLevels.length)
    .refine((levels) => new Set(levels).size === levels.length, 'expected each level once')
    .default(['view'])
    .describe(
      'What sessions may be: `view`, everything read-only as a user that owns nothing, for operators; `full`, root of the node, for administrators.',
    ),
  longest: duration('1m', '8h')
    .default('1h')
    .describe('The longest a session may be asked for; the node ends it then.'),
});

/** Whether, and how, people may open a session on the node. */
export type OperationsSession = DeepReadonly<z.infer<typeof schema>>;

export const operationsSessionKind = defineKind({
  kind: 'OperationsSession',
  property: 'operationsSession',
  count: 'at-most-one',
  summary: 'Lets people open a shell in a container of tools on the node, for the unusual case.',
  notes: [
    'Without this document the node refuses every session: it is off by default. When the document goes away or changes, open sessions are ended.',
    'A session has a reason, an end that the node keeps, and a recording of everything that was typed and shown; its start and end are in the audit log. While one is open, health says so.',
    'With `signedBy` the node asks the registry for the signature before each session, and refuses one whose image none of the keys has signed.',
  ],
  schema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: OperationsSession
image: registry.example/tools@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
levels: [view, full]
longest: 30m
`,
  render: () => [],
  // plinthd looks at it while it runs.
  effects: { '': { kind: 'live' } },
  reach: [],
});
