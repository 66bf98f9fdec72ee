import { z } from 'zod';
import { authorityPem } from '../../framework/authority.ts';
import { duration } from '../../framework/values.ts';

/** Roles that every node knows; in a client certificate they stand with "plinth:" before them. */
export const builtInRoles = ['reader', 'operator', 'admin'] as const;

const issuer = z
  .string()
  .max(512)
  .superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const bare = url?.protocol === 'https:' && url.search === '' && url.hash === '' && url.username === '';
    if (!bare || /[?#]/.test(text))
      context.addIssue({
        code: 'custom',
        message: 'expected an address that begins with https: and has no query',
      });
  });

const claim = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_.:/-]+$/, 'expected the name of a claim: "groups"');

const who = z.string().min(1).max(256);

const mapping = z
  .strictObject({
    role: z
      .string()
      .max(32)
      .regex(/^[a-z][a-z0-9-]*$/, 'expected reader, operator, admin, or a role of "roles"')
      .describe('reader, operator, admin, or the name of one of "roles".'),
    groups: z.array(who).min(1).max(64).optional().describe('Groups whose members get the role.'),
    users: z
      .array(who)
      .min(1)
      .max(64)
      .optional()
      .describe('People who get the role, by the claim of their name.'),
  })
  .refine(({ groups, users }) => groups !== undefined || users !== undefined, 'expected "groups" or "users"');

/** An OpenID Connect issuer that people log in with. */
export const oidcSchema = z.strictObject({
  issuer: issuer.describe('Address of the issuer, as it stands in its tokens.'),
  clientId: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[!-~]+$/, 'expected the client id without spaces')
    .describe(
      'What the issuer calls this client: a public client with the device flow. Tokens must be for it.',
    ),
  certificateAuthority: authorityPem.describe(
    "Certificate of the authority, PEM, that vouches for the issuer's server; no other is taken.",
  ),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]{1,64}$/, 'expected the name of a scope'))
    .max(16)
    .default(['profile'])
    .describe('What the client asks for beside "openid", so that the claims below are in the token.'),
  usernameClaim: claim
    .default('sub')
    .describe(
      'Claim that names a person in audit logs. "email" counts only where the issuer has verified it.',
    ),
  groupsClaim: claim.default('groups').describe('Claim that lists the groups of a person.'),
  roles: z
    .array(mapping)
    .min(1)
    .max(32)
    .describe(
      'Who gets which role; the first that fits counts. Who fits none gets nothing: there is no default.',
    ),
  maxTtl: duration('5m', '24h').default('8h').describe('Longest time a certificate is valid.'),
  endWithToken: z
    .boolean()
    .default(true)
    .describe('Whether a certificate ends with the token it was given for, where that is sooner.'),
  requireKeyBinding: z
    .boolean()
    .default(false)
    .describe(
      'Whether a token must name the key of its holder in its nonce, so that a stolen one is of no use. RFC 8628 has no nonce and many issuers leave it out of the device flow: without it each token is taken once. A nonce that names another key is always refused.',
    ),
});
