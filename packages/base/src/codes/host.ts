import type { CodeTable } from './types.ts';

export const hostCodes = {
  'host/command-failed': {
    meaning: 'A program that Plinth started ended with an error.',
    cause: 'The last lines of its output are in the message; often a full disk or damaged input.',
    fix: 'Read the output shown; run again with --progress plain to see the step it belongs to.',
  },
  'host/command-missing': {
    meaning: 'A program that must be on this machine was not found.',
    cause: 'The machine is not Debian, or a base package was removed.',
    fix: 'Install the package named in the hint.',
  },
  'host/command-timeout': {
    meaning: 'A program did not end within its time limit and was stopped.',
    cause: 'The machine is overloaded, or the program waits for something that never comes.',
    fix: 'Run again when the machine is less busy.',
  },
  'host/disk-full': {
    meaning: 'No space is left where Plinth wanted to write.',
    cause: 'The cache or output file system is full.',
    fix: 'Free space, or set PLINTH_CACHE_DIR to a larger file system, and run again: finished steps are kept.',
  },
  'host/io': {
    meaning: 'Reading or writing a file failed.',
    cause: 'Permissions, a vanished file, or a failing disk; the system error is in the message.',
    fix: 'Mend the path named in the message and run again.',
  },
  'host/locked': {
    meaning: 'Another Plinth process is doing the same work.',
    cause: 'Two builds or two commands on one machine name at once.',
    fix: 'Wait for the process named in the message to end, or end it.',
  },
  'host/cannot-serve': {
    meaning: 'Nothing can be served at this address.',
    cause: 'Another program listens there, or the address is none of this machine.',
    fix: 'Name another port or address.',
  },
  'host/download-failed': {
    meaning: 'A file could not be fetched from its mirror.',
    cause: 'The mirror is away or the connection broke; what had arrived is kept.',
    fix: 'Run again: the download resumes where it stopped.',
  },
  'host/download-missing': {
    meaning: 'The mirror does not have the file.',
    cause: 'A package was replaced by a newer one, or the mirror is incomplete.',
    fix: 'Run "plinth lock --update", or name a mirror that keeps old packages with --mirror.',
  },
  'host/digest-mismatch': {
    meaning: 'A file is not the one that was promised: its SHA-256 or size differs.',
    cause: 'A damaged or tampered download, or a mirror in the middle of an update.',
    fix: 'Run again; if it stays, do not trust that mirror.',
  },
} as const satisfies CodeTable;
