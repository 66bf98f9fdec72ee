import type { CodeTable } from './types.ts';

export const volumeCodes = {
  'volume/disk-missing': {
    meaning: 'No disk of the node is the one that the volume names.',
    cause: 'The disk is not attached, answers too late, or its serial, WWID or path is written otherwise.',
    fix: 'Run "plinth get disks -o json" and compare; the node goes on looking.',
  },
  'volume/disk-ambiguous': {
    meaning: 'More than one disk is the one that the volume names, or carries its label.',
    cause: 'A disk was copied with its label, or is reached by two ways.',
    fix: 'Detach the one that is not meant; the node uses neither until then.',
  },
  'volume/disk-not-empty': {
    meaning: 'The disk of the volume carries something, and a config never wipes a disk.',
    cause: 'The disk was used before, or is not the one that is meant.',
    fix: 'Name an empty disk; if nobody needs what is on this one, empty it where it comes from.',
  },
  'volume/disk-too-small': {
    meaning: 'The disk of the volume is smaller than the volume asks for.',
    cause: 'Another disk is meant, or minimumSize is larger than it needs to be.',
    fix: 'Give the node a larger disk, or lower minimumSize.',
  },
  'volume/disk-unfit': {
    meaning: 'The disk of the volume cannot be written, is mounted, or is part of another device.',
    cause: 'A read-only disk, the disk of the system, a member of a RAID or of a multipath device.',
    fix: 'Name another disk.',
  },
  'volume/disk-lost': {
    meaning: 'The volume was made once, and its disk is not there any more.',
    cause: 'The disk was detached, died, or was wiped.',
    fix: 'Attach it again. To begin afresh apply a config without the volume, then one with it.',
  },
  'volume/cannot-remember': {
    meaning: 'The node cannot keep a note of the volumes it makes, so it makes none.',
    cause: '/var is in memory or takes no data.',
    fix: 'Mend /var first: "plinth health" says what is wrong with it.',
  },
  'volume/notes-damaged': {
    meaning: 'The notes of the volumes that the node made cannot be read, so it makes and mounts none.',
    cause: 'The file system of /var was damaged, or somebody wrote to the notes.',
    fix: 'Run "plinth reset": it makes /var anew, and volumes are found again by their labels.',
  },
  'volume/place-taken': {
    meaning: 'Something else is mounted at the place of the volume, or the volume at another place.',
    cause: 'A pod or a person mounted it.',
    fix: 'Unmount what is there, or reboot the node.',
  },
  'volume/damaged': {
    meaning: 'The file system of the volume has errors that are not repaired without a person.',
    cause: 'The disk fails, or something else wrote to it.',
    fix: 'Save the data from the disk, then give the volume another one.',
  },
  'volume/failed': {
    meaning: 'A step on the way to a mounted volume failed; the node tries again.',
    cause: 'A unit ended badly; the message holds its words.',
    fix: 'Read "plinth logs" of the unit that the message names.',
  },
} as const satisfies CodeTable;
