import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const vmCodes = {
  'vm/bad-spec': {
    meaning: 'A machine was described in a way that cannot exist.',
    cause: 'A wrong name, size or combination of options; the message says which.',
    fix: 'Mend the option named in the message.',
    exitCode: exitCodes.usage,
  },
  'vm/not-found': {
    meaning: 'There is no machine of that name.',
    cause: 'A spelling mistake, or the machine was destroyed.',
    fix: 'See "plinth vm list" for the machines there are.',
  },
  'vm/already-running': {
    meaning: 'A machine of that name runs already.',
    cause: 'An earlier "plinth up" or "plinth vm start".',
    fix: 'Use the running machine, or end it with "plinth down".',
  },
  'vm/not-running': {
    meaning: 'The machine exists but does not run.',
    cause: 'It was stopped, it powered itself off, or QEMU died; "plinth vm list" says which.',
    fix: 'Start it with "plinth vm start".',
  },
  'vm/disk-changed': {
    meaning: 'The image under a machine is not the one the machine was made from.',
    cause: 'The image was built again; a machine stores only its differences from it.',
    fix: 'Destroy the machine with "plinth vm stop --destroy" and start it anew.',
  },
  'vm/bad-record': {
    meaning: 'The file that describes a machine cannot be understood.',
    cause: 'It was edited, or written by another version of Plinth.',
    fix: 'Destroy the machine with "plinth vm stop --destroy" and start it anew.',
  },
  'vm/port-taken': {
    meaning: 'Another program listens on the port that the API of the machine should have on this computer.',
    cause: 'Another machine or server; the message names it where it can be seen.',
    fix: 'Choose another port with --api-port, or 0 for any free one.',
  },
  'vm/qemu-failed': {
    meaning: 'QEMU ended before the machine ran.',
    cause: 'Its last line is in the message; often too little memory or a damaged disk file.',
    fix: 'Read the line shown; with KVM trouble set PLINTH_ACCEL=tcg.',
  },
  'vm/tpm-failed': {
    meaning: 'The virtual TPM did not start.',
    cause: 'A damaged TPM state or a full disk; its last line is in the message.',
    fix: 'Destroy the machine with "plinth vm stop --destroy" and start it anew.',
  },
  'vm/monitor': {
    meaning: 'QEMU did not answer on its control socket, or refused a command.',
    cause: 'QEMU hangs or is about to end.',
    fix: 'Run again; if it stays, end the machine with "plinth vm stop".',
  },
  'vm/firmware-refused': {
    meaning: 'The firmware or the boot loader refused to start what is on the disk.',
    cause: 'The image is signed with other keys than the firmware has, or it was changed after signing.',
    fix: 'Check the image with "plinth verify"; build it again with the keys of this machine.',
  },
  'vm/root-refused': {
    meaning: 'The kernel refused the root image: its hash, hash tree or signature is wrong.',
    cause: 'The disk was changed after the image was built, or it is failing.',
    fix: 'Check the image with "plinth verify" and start from a fresh copy.',
  },
  'vm/kernel-panic': {
    meaning: 'The kernel of the machine stopped.',
    cause: 'The line with the reason is in the message; the lines before it are on the console.',
    fix: 'Read the console with "plinth vm console".',
  },
  'vm/emergency': {
    meaning: 'The system of the machine could not start and stopped in its emergency state.',
    cause: 'A mount or service that everything depends on failed.',
    fix: 'Read the console with "plinth vm console".',
  },
  'vm/maintenance': {
    meaning: 'The node came up only to say why it cannot work.',
    cause: 'Its configuration is missing or not valid; the reason is in the message.',
    fix: 'Mend the machine configuration and start the machine again, or give it one by "plinth apply --insecure".',
  },
  'vm/ended': {
    meaning: 'The machine ended before its API answered.',
    cause: 'It powered itself off, restarted where that was not allowed, or QEMU was killed.',
    fix: 'Read the console with "plinth vm console".',
  },
  'vm/api-timeout': {
    meaning: 'The API of the machine did not answer in time.',
    cause: 'A busy computer (without KVM a boot takes minutes), or a node that hangs.',
    fix: 'Read the console with "plinth vm console", or allow more time with --timeout.',
    exitCode: exitCodes.timedOut,
  },
} as const satisfies CodeTable;
