import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const accessCodes = {
  'access/bundle-invalid': {
    meaning: 'The file is no access bundle.',
    cause: 'Another file, or one that was changed by hand.',
    fix: 'Ask for the file that "plinth access issue" wrote.',
  },
  'access/issuer-unreachable': {
    meaning: 'The OpenID Connect issuer does not answer, or is not the one it should be.',
    cause: 'It is down, a firewall is in between, or its server shows a certificate of another authority.',
    fix: 'Look at the address and the authority of "oidc" in ApiAccess; certificates that were given still hold.',
  },
  'access/login-failed': {
    meaning: 'The login at the issuer did not come to an end.',
    cause:
      'It was refused there, nobody entered the code in time, or the issuer has no device flow for this client.',
    fix: 'Run "plinth access login" again and enter the code that it shows.',
    exitCode: exitCodes.forbidden,
  },
  'access/no-role': {
    meaning: 'The issuer vouches for a person, and the node has no role for them.',
    cause:
      'Neither their name nor a group in their token stands under "oidc.roles" in ApiAccess of the node.',
    fix: 'Ask an administrator for a group that has a role, or log in as somebody else.',
    exitCode: exitCodes.forbidden,
  },
  'access/token-refused': {
    meaning: 'The node does not accept the ID token.',
    cause:
      "It is of another issuer or for another client, too old, signed by a key that is not the issuer's, or names another key.",
    fix: 'Log in again with "plinth access login"; the message says what is wrong.',
    exitCode: exitCodes.forbidden,
  },
  'access/ledger-invalid': {
    meaning: 'The list of issued certificates, or of revocations, in the key folder cannot be used.',
    cause: 'The file was changed by hand, or only a part of it was copied.',
    fix: 'Restore "access.json" of the key folder from a backup; the message says what is wrong with it.',
  },
  'access/not-issued': {
    meaning: 'No certificate of that name or fingerprint is known.',
    cause: 'A spelling mistake, or it was issued with another key folder.',
    fix: 'Look at "plinth access list", or name the whole fingerprint.',
  },
  'access/revocations-invalid': {
    meaning: 'A list of revocations is not what it should be.',
    cause: 'It was made by something else than "plinth access revoke", or was changed on the way.',
    fix: 'Push the list again with "plinth access push".',
  },
  'access/revocations-old': {
    meaning: 'The node has a newer list of revocations and does not go back.',
    cause: 'The list was made from an older copy of the key folder.',
    fix: 'Use the newest copy of the key folder; its list holds all revocations.',
  },
  'access/revocations-unsigned': {
    meaning: 'No client authority of the node has signed the list of revocations.',
    cause: 'The key folder belongs to another fleet, or the node has not learned of its new authority yet.',
    fix: 'Bring the authority into the machine config of the node under clientAuthorities, then push again.',
  },
} as const satisfies CodeTable;
