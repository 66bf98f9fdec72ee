import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const logsCodes = {
  'logs/request-invalid': {
    meaning: 'The node does not understand which entries are meant.',
    cause: 'A unit, time, pattern or number that is not as expected; the message says which.',
    fix: 'Mend the value that the message names.',
    exitCode: exitCodes.usage,
  },
  'logs/boot-missing': {
    meaning: 'The journal has nothing of the boot that was asked for.',
    cause: 'The boot is longer ago than the journal reaches back, or /var was not there when it was written.',
    fix: 'Ask for a later boot; 0 is the present one.',
  },
  'logs/container-missing': {
    meaning: 'The node has no log of that container.',
    cause: 'The pod runs on another node, it was removed with its logs, or a name is misspelt.',
    fix: 'Run "plinth get containers" for what the node has.',
  },
  'logs/unreadable': {
    meaning: 'A log cannot be read.',
    cause: 'The journal or a log file is damaged or cannot be opened; the message says how.',
    fix: 'Look at the health of the node; the journal begins a new file by itself when one is damaged.',
  },
  'logs/busy': {
    meaning: 'Too much is being looked through for other clients.',
    cause: 'Each search for the last entries that match holds what it has found in the memory of the node.',
    fix: 'Try again in a moment, or ask for fewer lines.',
  },
  'containers/runtime-unreachable': {
    meaning: 'The container runtime of the node does not answer.',
    cause: 'containerd is starting, stopped, or too busy.',
    fix: 'Read "plinth logs containerd.service", and try again.',
  },
  'containers/image-missing': {
    meaning: 'The node, or the registry, does not have that image.',
    cause: 'A spelling mistake in the name, tag or digest, or the image was removed.',
    fix: 'Run "plinth get images" for what the node has; check the name in the registry.',
  },
  'containers/image-invalid': {
    meaning: 'The text is no name of an image.',
    cause: 'Names are "REGISTRY/PATH:TAG" or "REGISTRY/PATH@DIGEST", in lower case.',
    fix: 'Mend the name.',
    exitCode: exitCodes.usage,
  },
  'containers/image-kept': {
    meaning: 'The image must stay.',
    cause: 'A container uses it, or it is part of the system and pinned.',
    fix: 'Remove the pod that uses it first; a pinned image goes with its Kubernetes layer.',
  },
  'containers/pull-failed': {
    meaning: 'The image could not be brought to the node.',
    cause: 'The registry cannot be reached, refuses the node, or sent something else than announced.',
    fix: 'Check the registry settings of the machine config and what the message says.',
  },
  'containers/failed': {
    meaning: 'The container runtime refused a request.',
    cause: 'The message holds its own words.',
    fix: 'Read "plinth logs containerd.service".',
  },
  'files/not-allowed': {
    meaning: 'The file is not one of those that may be read.',
    cause:
      'It lies outside of the list, holds secrets, is no plain file, or a link leads out of the list to it.',
    fix: 'Run "plinth files list" for the places that may be read.',
    exitCode: exitCodes.forbidden,
  },
  'files/missing': {
    meaning: 'There is nothing at that path.',
    cause: 'A spelling mistake, or it was removed since.',
    fix: 'Run "plinth files list" on the folder.',
  },
  'files/unreadable': {
    meaning: 'The file cannot be read.',
    cause: 'The kernel or the disk refuses it; the message says how.',
    fix: 'Look at the health of the node.',
  },
} as const satisfies CodeTable;
