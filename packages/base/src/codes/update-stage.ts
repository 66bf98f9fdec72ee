import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

/** What can go wrong between the address of a repository and a slot that is written. */
export const updateStageCodes = {
  'update/bad-source': {
    meaning: 'The address of a release repository cannot be used.',
    cause: 'It is not http or https, it carries a password, or none is given.',
    fix: 'Give the address of the folder that holds metadata/ and targets/.',
    exitCode: exitCodes.usage,
  },
  'update/unreachable': {
    meaning: 'No address of the repository gave the file.',
    cause:
      'The server is away, the name does not resolve, the certificate is foreign, or the file is not there.',
    fix: 'Check the address in the message from the network of the node.',
  },
  'update/stalled': {
    meaning: 'Every server that was asked stopped sending.',
    cause: 'A broken network path, or a server that is overloaded or hostile.',
    fix: 'Try again, or name another mirror; what has arrived is kept.',
  },
  'update/too-large': {
    meaning: 'A file of the repository is larger than it may be.',
    cause: 'The server lies, or the repository is damaged.',
    fix: 'Use another mirror.',
  },
  'update/content-wrong': {
    meaning: 'No address of the repository gave the bytes that were signed.',
    cause: 'A mirror that is damaged, half copied, or hostile.',
    fix: 'Use another mirror; nothing of what came is used.',
  },
  'update/no-trusted-root': {
    meaning: 'The image does not say whose updates to believe.',
    cause: 'It was built without a root of trust for updates.',
    fix: 'Build the image with the root of your repository; see the how-to on updates.',
  },
  'update/metadata-invalid': {
    meaning: 'Metadata of the repository is not what the role above it describes.',
    cause: 'A damaged or half copied mirror, or one that lies.',
    fix: 'Use another mirror, or publish again.',
  },
  'update/metadata-unsigned': {
    meaning: 'Metadata of the repository has fewer valid signatures than its role asks for.',
    cause:
      'Another repository than the one the image trusts, a forgery, or a key that was rotated without a new root.',
    fix: 'Check the address; publish a new root when keys were changed.',
  },
  'update/metadata-expired': {
    meaning: 'Metadata of the repository is past its date.',
    cause: 'Nobody signed it anew, a mirror keeps old files, or the clock of the node is ahead.',
    fix: 'Look at the clock with "plinth get time", then at whether the repository is still signed.',
  },
  'update/metadata-rolled-back': {
    meaning: 'The repository offers older metadata than the node has seen.',
    cause: 'A mirror that is behind, a repository restored from a backup, or an attack.',
    fix: 'Use another mirror, or publish once more so that the versions go up.',
  },
  'update/target-missing': {
    meaning: 'The repository does not list the file.',
    cause: 'The channel does not exist there, or a release is incomplete.',
    fix: 'Check the name of the channel; publish the release again.',
  },
  'update/release-invalid': {
    meaning: 'A release does not fit together or does not fit the disk of the node.',
    cause: 'It was made for another layout, or its files were mixed up.',
    fix: 'Publish the release again as it was built.',
  },
  'update/busy': {
    meaning: 'The node is staging another release.',
    cause: 'Somebody else started an update.',
    fix: 'Wait until it has ended, or cancel it.',
  },
  'update/cancelled': {
    meaning: 'Staging was cancelled.',
    cause: 'Somebody asked for it.',
    fix: 'Nothing; start it again when it is wanted.',
  },
  'update/disk-unreadable': {
    meaning: 'The slots on the disk cannot be told apart.',
    cause:
      'The disk has another layout than an image of Plinth, or a partition table is damaged on both ends.',
    fix: 'Install the node anew; a damaged table can be repaired with sfdisk from a rescue system.',
  },
  'update/disk-failed': {
    meaning: 'The disk refused a read or a write, or gave back other bytes than were written.',
    cause: 'The disk is failing, or the slot is write-protected.',
    fix: 'Look at the kernel log with "plinth dmesg", then replace the disk.',
  },
  'update/slot-in-use': {
    meaning: 'The slot that would be written is the one the node runs from, or is not protected from it.',
    cause: 'The disk changed while it was staged, or the kernel holds the partition.',
    fix: 'Start the node again, then stage again.',
  },
  'update/esp-full': {
    meaning: 'The EFI system partition has no room for another kernel image.',
    cause: 'Files that Plinth did not make, or more versions than the two slots hold.',
    fix: 'Remove what does not belong there.',
  },
} as const satisfies CodeTable;
