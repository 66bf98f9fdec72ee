import { z } from 'zod';
import { authorityPem } from '../../framework/authority.ts';
import type { DeepReadonly } from '../../framework/kind.ts';
import { keyed, secret } from '../../framework/notes.ts';
import { mirrorUrlProblem } from './mirror-url.ts';

/** Stands for every registry that has no entry of its own. */
export const ANY_HOST = '*';

const LIMITS = { registries: 64, mirrors: 8, username: 256, password: 4096 } as const;

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** As in the name of an image: a first part without dot and port is no registry. */
const HOST = new RegExp(
  `^(?=.{1,253}$)(?:\\*|localhost|${LABEL}(?:\\.${LABEL})+|${LABEL}(?:\\.${LABEL})*:[1-9][0-9]{0,4})$`,
);

const credentials = z
  .strictObject({
    username: z
      .string()
      .min(1)
      .max(LIMITS.username)
      .regex(/^[^:\p{Cc}]+$/u, 'expected a name without colons and control characters')
      .describe('Name of the user, or what the registry wants in its place beside a token.'),
    password: secret(
      z
        .string()
        .min(1)
        .max(LIMITS.password)
        .regex(/^\P{Cc}+$/u, 'expected one line without control characters')
        .describe('Password or token. It is not shown in plans, nor by the API.'),
    ),
  })
  .describe('Who the node is to the server: sent with each request, and to the server of tokens it names.');

const authority = authorityPem.describe(
  'Certificate of the authority, PEM, that vouches for the server beside those the node trusts anyway.',
);

const mirror = z.strictObject({
  url: z
    .string()
    .max(1024)
    .superRefine((text, context) => {
      const message = mirrorUrlProblem(text);
      if (message) context.addIssue({ code: 'custom', message });
    })
    .describe(
      'Where it is, https only. Without a path, the API is expected at /v2; a path is taken as it stands: https://mirror.example/v2/proxy.',
    ),
  certificateAuthority: authority.optional(),
  credentials: credentials.optional(),
});

const registry = z
  .strictObject({
    host: z
      .string()
      .regex(HOST, 'expected a registry as images name it, "registry.example:5000", or "*"')
      .describe(
        'The registry as the names of images begin: "registry.example", "registry.example:5000"; "*" for every registry that has no entry of its own.',
      ),
    mirrors: z
      .array(mirror)
      .max(LIMITS.mirrors)
      .default([])
      .describe('Servers that are asked for its images first, in this order.'),
    fallback: z
      .boolean()
      .default(true)
      .describe('Whether the registry itself is asked for what no mirror has.'),
    certificateAuthority: authority.optional(),
    credentials: credentials.optional(),
  })
  .superRefine((entry, context) => {
    const problem = (message: string, path: (string | number)[] = []) =>
      context.addIssue({ code: 'custom', path, message });
    const { host, mirrors, fallback, certificateAuthority, credentials: own } = entry;
    const settings = certificateAuthority !== undefined || own !== undefined;
    if (mirrors.length === 0 && !settings)
      problem('an entry that changes nothing, expected mirrors, certificateAuthority or credentials');
    if (!fallback && mirrors.length === 0)
      problem('no mirror and no fallback, expected one of them', ['fallback']);
    if (!fallback && settings)
      problem(
        'settings for a registry that is never asked, expected them at the mirrors, or fallback: true',
        ['fallback'],
      );
    if (host === ANY_HOST && own)
      problem('expected no credentials here: every registry would be told them', ['credentials']);
    if (host === ANY_HOST && certificateAuthority)
      problem('expected a document of kind TrustedCAs for an authority that vouches for every registry', [
        'certificateAuthority',
      ]);
    const urls = mirrors.map(({ url }) => url);
    for (const [index, url] of urls.entries())
      if (urls.indexOf(url) !== index) problem('expected each url once', ['mirrors', index, 'url']);
  });

/** How the node pulls images: mirrors, authorities and credentials of registries. */
export const registriesSchema = z.strictObject({
  registries: keyed(registry, 'host', LIMITS.registries)
    .default([])
    .describe('Registries with settings of their own.'),
});

export type Registries = DeepReadonly<z.infer<typeof registriesSchema>>;
export type Registry = Registries['registries'][number];
export type Mirror = Registry['mirrors'][number];
export type RegistryCredentials = NonNullable<Registry['credentials']>;
