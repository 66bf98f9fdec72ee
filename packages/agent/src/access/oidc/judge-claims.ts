import type { MachineConfig } from '@plinth/config';

/** What the machine config says of an issuer. */
export type OidcSettings = NonNullable<MachineConfig['api']['oidc']>;

export type ClaimsVerdict =
  | { readonly ok: true; readonly name: string; readonly role: string }
  | { readonly ok: false; readonly reason: string };

/** Names of people stand in certificates, tables and records: 64 characters with the prefix (X.520), none that could mislead. */
const NAME = /^[A-Za-z0-9@._+-]{1,59}$/;
const NAME_PREFIX = 'oidc:';
const BUILT_IN = ['reader', 'operator', 'admin'];

/**
 * judgeClaims decides who somebody is and which role they get, by the claims of a token that was verified. There is no default
 * role, and a claim that is not what it should be gives nothing.
 */
export function judgeClaims(
  claims: Readonly<Record<string, unknown>>,
  settings: OidcSettings,
): ClaimsVerdict {
  const { usernameClaim, groupsClaim, roles } = settings;
  const name = claims[usernameClaim];
  if (typeof name !== 'string' || !NAME.test(name))
    return refuse(`its claim "${usernameClaim}" is no name of at most 59 letters, digits or @ . _ + -`);
  if (usernameClaim === 'email' && claims['email_verified'] !== true)
    return refuse('its issuer has not verified the e-mail address');
  const groups = groupsIn(claims[groupsClaim]);
  const mapped = roles.find(
    (each) => each.users?.includes(name) || each.groups?.some((group) => groups.includes(group)),
  );
  if (!mapped) return refuse(`no role is for ${name}, nor for a group in its claim "${groupsClaim}"`);
  const role = BUILT_IN.includes(mapped.role) ? `plinth:${mapped.role}` : mapped.role;
  return { ok: true, name: `${NAME_PREFIX}${name}`, role };
}

/** A list of names; some issuers write one name as a text. */
function groupsIn(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return [claim];
  return Array.isArray(claim) ? claim.filter((each) => typeof each === 'string') : [];
}

function refuse(reason: string): ClaimsVerdict {
  return { ok: false, reason };
}
