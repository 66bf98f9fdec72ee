import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const sessionCodes = {
  'session/not-allowed': {
    meaning: 'The node allows no such session.',
    cause:
      'Its machine config has no document OperationsSession, or one without that level or for shorter sessions.',
    fix: 'Run "plinth config show" for what it allows; an administrator changes it with "plinth apply".',
  },
  'session/request-invalid': {
    meaning: 'The node does not understand what session is meant.',
    cause: 'No reason, a length of time beyond the limits, or a terminal of no possible size.',
    fix: 'Mend the value that the message names.',
    exitCode: exitCodes.usage,
  },
  'session/missing': {
    meaning: 'The node knows no such session.',
    cause: 'A spelling mistake, or its recording was removed to make room for newer ones.',
    fix: 'Run "plinth session list".',
  },
  'session/ended': {
    meaning: 'The session has ended.',
    cause: 'Its time was up, its shell ended, somebody ended it, or plinthd restarted.',
    fix: 'Run "plinth session list" for why; start another one.',
  },
  'session/busy': {
    meaning: 'The node has another session, or another terminal is attached to this one.',
    cause: 'A node has one session at a time and one terminal at it, so that a recording tells who did what.',
    fix: 'Run "plinth session list"; "plinth session end" ends one that nobody needs.',
  },
  'session/image-unsigned': {
    meaning: 'The image of sessions is signed by none of the keys that the machine config names.',
    cause:
      'Its registry has no signature of it, or one by another key or of another image: the image was not released, or was replaced.',
    fix: 'Sign it with "cosign sign --key KEY IMAGE@DIGEST", or correct image or signedBy of the document OperationsSession.',
  },
  'session/failed': {
    meaning: 'The session could not be started or kept.',
    cause: 'The container runtime refused it, or its recording cannot be written; the message says which.',
    fix: 'Read "plinth logs containerd.service"; look at the space on /var.',
  },
  'bootstrap/essential-failed': {
    meaning: 'A bootstrap container that the node needs has not ended well, so that no kubelet starts.',
    cause: 'It ended with an error or too late, or its image could not be pulled.',
    fix: 'Run "plinth get bootstrap-containers" for its output; correct it in the machine config and reboot.',
  },
} as const satisfies CodeTable;
