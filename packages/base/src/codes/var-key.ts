import type { CodeTable } from './types.ts';

export const varKeyCodes = {
  'var-key/not-encrypted': {
    meaning: 'The /var of this node is not encrypted, so it has no keys.',
    cause:
      'The machine has no TPM 2.0, /var was made by a version that did not encrypt, or there is no /var on the disk.',
    fix: 'Nothing, or "plinth reset" on a machine with a TPM: the next start makes /var anew, encrypted. Its data are lost.',
  },
  'var-key/no-recovery-key': {
    meaning: 'The node has no recovery key to give.',
    cause: 'The start in which it was to be made could not make it; the journal of that boot says why.',
    fix: 'Reboot the node: each start makes one where there is none.',
  },
  'var-key/already-taken': {
    meaning: 'The recovery key was given away before, and the node gives it once.',
    cause: 'Somebody took it; the message says who and when.',
    fix: 'Ask who took it, or have the next start make a new one: "plinth var recovery-key --renew", then reboot.',
  },
  'var-key/bad-key': {
    meaning: 'What was given is not a recovery key, or not one of this /var.',
    cause: 'A mistake in it, the key of another node, or one that was renewed since.',
    fix: 'Give the key as the file has it: eight groups of eight letters.',
  },
  'var-key/reseal-failed': {
    meaning: '/var could not be sealed to the TPM of this machine; what opened it before still does.',
    cause:
      'No TPM, a TPM that refuses, or a boot without the public key of the release; the message has the words of the tool.',
    fix: 'Look at "plinth get integrity" for the TPM and the boot, mend that, and try again.',
  },
} as const satisfies CodeTable;
