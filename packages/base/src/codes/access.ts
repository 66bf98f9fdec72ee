import type { CodeTable } from './types.ts';

export const accessCodes = {
  'access/bundle-invalid': {
    meaning: 'The file is no access bundle.',
    cause: 'Another file, or one that was changed by hand.',
    fix: 'Ask for the file that "plinth access issue" wrote.',
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
