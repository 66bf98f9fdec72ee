import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const trustCodes = {
  'trust/keys-exist': {
    meaning: 'Keys would be made where keys already are.',
    cause: '"plinth keys init" was run twice for one folder.',
    fix: 'Use the keys that exist, or name another folder with --keys.',
  },
  'trust/key-missing': {
    meaning: 'A key or its certificate is not where it should be.',
    cause: 'No keys were made yet, or a file of the key folder was moved.',
    fix: 'Run "plinth keys init", or name the folder of your keys with --keys.',
  },
  'trust/key-unreadable': {
    meaning: 'A key file is there but must not or cannot be used.',
    cause: 'Others may read it, it is damaged, or it does not belong to its certificate.',
    fix: 'Restrict it with "chmod 600", or restore it from your copy.',
  },
  'trust/wrong-passphrase': {
    meaning: 'A private key could not be decrypted.',
    cause: 'No passphrase was given, or it is not the one the keys were made with.',
    fix: 'Give the passphrase the keys were made with.',
    exitCode: exitCodes.forbidden,
  },
  'trust/certificate-invalid': {
    meaning: 'A certificate cannot be read.',
    cause: 'Not a certificate in PEM or DER, or a damaged one.',
    fix: 'Export the certificate again with "plinth keys export".',
  },
  'trust/signature-invalid': {
    meaning: 'A signature file cannot be read as what it should be.',
    cause: 'A damaged, truncated or hostile file.',
    fix: 'Fetch the release again; if it stays, do not trust its source.',
  },
  'trust/signing-failed': {
    meaning: 'Something could not be signed.',
    cause: 'The external signing program failed, or gave a signature that does not verify.',
    fix: 'Run the signing program by hand with the same input, and mend what it reports.',
  },
  'trust/request-invalid': {
    meaning: 'A certificate was asked for that must not be issued.',
    cause: 'An unknown role, an unfit name, or a lifetime out of bounds.',
    fix: 'Correct the value named in the message.',
    exitCode: exitCodes.usage,
  },
} as const satisfies CodeTable;
