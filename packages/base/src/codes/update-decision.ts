import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

/** Why a node does not go to a version, and why a slot is not written; see packages/updates. */
export const updateDecisionCodes = {
  'update/channel-invalid': {
    meaning: 'A channel cannot be read, so nothing is taken from it.',
    cause: 'It was written by hand with a mistake, or by a newer Plinth.',
    fix: 'Publish the channel again; what is wrong and where is in the message.',
  },
  'update/up-to-date': {
    meaning: 'The channel has nothing newer than what runs.',
    cause: 'The newest release is installed.',
    fix: 'Nothing to do.',
  },
  'update/wrong-channel': {
    meaning: 'The channel that was fetched is not the one the node follows.',
    cause: 'A repository put together wrongly, or one that tries to move nodes to another channel.',
    fix: 'Look at the machine config (kind UpdatePolicy) and at what the repository serves under that name.',
  },
  'update/wrong-architecture': {
    meaning: 'The channel is for machines of another architecture.',
    cause: 'The node follows a repository of other machines.',
    fix: 'Point the node to a repository for its architecture.',
  },
  'update/not-in-channel': {
    meaning: 'The version asked for is not offered by the channel.',
    cause: 'A spelling mistake, a version of another channel, or one that was withdrawn.',
    fix: 'Name a version that the channel offers; without one the newest is taken.',
    exitCode: exitCodes.usage,
  },
  'update/blocked': {
    meaning: 'The channel blocks this version, for the reason in the message.',
    cause: 'It turned out to be bad after it was published.',
    fix: 'Wait for the next release, or name another version.',
  },
  'update/dead-end': {
    meaning: 'No update leads on from this version.',
    cause: 'The channel says that what follows cannot be reached from it, for the reason in the message.',
    fix: 'Install the node anew from a disk image of a current release.',
  },
  'update/barrier': {
    meaning:
      'The way to the version leads through another one that cannot be taken, or leads back over one that must not be crossed.',
    cause:
      'The version to pass through is blocked, failed on this node or is missing in the channel; or the target is older than a barrier.',
    fix: 'Update to the version named in the message first; when it is blocked, wait until the channel names another way.',
  },
  'update/below-floor': {
    meaning: 'The version is older than the channel’s security floor.',
    cause: 'Versions below the floor have holes that are known and used.',
    fix: 'Name a version at or above the floor.',
  },
  'update/slot-booted': {
    meaning: 'The version is the one that runs; its slot is never written.',
    cause: 'The version asked for is booted.',
    fix: 'Name another version.',
  },
  'update/already-there': {
    meaning: 'The version is in the other slot already, and proven.',
    cause: 'It is the version that ran before.',
    fix: 'Go back to it with "plinth rollback".',
  },
  'update/only-proven': {
    meaning:
      'The slot holds the only version that is known to work, so it is neither written nor taken away.',
    cause: 'What runs has not proven itself yet, or has no boot entry any more.',
    fix: 'Wait until the running version is proven, or reboot into the proven one.',
  },
  'update/no-entry': {
    meaning: 'The running version has no boot entry that could be marked as proven.',
    cause: 'It was rolled back from, or its file on the EFI system partition is lost.',
    fix: 'Stage the version again from another one.',
  },
} as const satisfies CodeTable;
