import { z } from 'zod';
import { authorityPem } from '../../framework/authority.ts';
import { EXAMPLE_CERTIFICATE, indented } from '../../framework/example-certificate.ts';
import { type DeepReadonly, defineKind, type RenderedFile } from '../../framework/kind.ts';
import { keyed } from '../../framework/notes.ts';

/** Programs written in Go read every file of this folder, beside the bundle of the image (crypto/x509). */
const PREFIX = '/etc/ssl/certs/plinth-config-';

const authority = z.strictObject({
  name: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens')
    .describe('What the authority is called in plans; part of a file name.'),
  certificate: authorityPem.describe('Its certificate, PEM.'),
});

const schema = z.strictObject({
  authorities: keyed(authority, 'name', 32)
    .default([])
    .describe('Authorities that are trusted beside those of the image.'),
});

/** Authorities that a node trusts beside those of the image. */
export type TrustedCAs = DeepReadonly<z.infer<typeof schema>>;

export const trustedCAsKind = defineKind({
  kind: 'TrustedCAs',
  property: 'trustedCAs',
  count: 'at-most-one',
  summary: 'Authorities for TLS that the node trusts beside those of the image.',
  notes: [
    'They vouch for every registry that images are pulled from. To trust an authority for one registry only, name it in the document of kind Registries. They do not vouch for clients of the API of the node (kind ApiAccess), nor inside of pods, which bring their own.',
    'containerd reads them when it starts, and is restarted for a change; containers go on.',
  ],
  schema,
  example: `apiVersion: plinth.dev/v1alpha1
kind: TrustedCAs
authorities:
  - name: company
    certificate: |
${indented(EXAMPLE_CERTIFICATE, 6)}
`,
  render: renderAuthorities,
  effects: { '': { kind: 'restart', unit: 'containerd.service' } },
  reach: [],
});

function renderAuthorities(trusted: TrustedCAs | undefined): readonly RenderedFile[] {
  return (trusted?.authorities ?? []).map(({ name, certificate }) => ({
    path: `${PREFIX}${name}.pem`,
    mode: 0o644,
    text: `${certificate.trimEnd()}\n`,
    secret: false,
  }));
}
