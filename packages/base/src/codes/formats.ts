import type { CodeTable } from './types.ts';

export const formatsCodes = {
  'formats/truncated': {
    meaning: 'A file ends before something it announces, or points outside itself.',
    cause: 'An incomplete download or copy, a damaged disk, or a hostile file.',
    fix: 'Fetch or build the file again.',
  },
  'formats/limit': {
    meaning: 'A file announces more parts, or larger ones, than Plinth accepts.',
    cause: 'A damaged or hostile file; no sound file comes near these limits.',
    fix: 'Fetch or build the file again; if it stays, do not trust its source.',
  },
  'formats/elf-invalid': {
    meaning: 'A file starts like an ELF file but breaks the format.',
    cause: 'A damaged or hostile file.',
    fix: 'Fetch the package of that file again.',
  },
  'formats/pcapng-invalid': {
    meaning: 'A packet capture breaks the pcapng format, or ends in the middle.',
    cause: 'A transfer that broke off, or another version of plinthd.',
    fix: 'Capture again; compare "plinth version" with "plinth get versions".',
  },
  'formats/cpio-invalid': {
    meaning: 'A cpio archive breaks the "newc" format, or an entry cannot be expressed in it.',
    cause: 'A damaged initrd, a compressed one given as is, or an entry above 4 GiB.',
    fix: 'Rebuild the initrd; decompress it first if it is compressed.',
  },
  'formats/erofs-invalid': {
    meaning:
      'A file system is not EROFS as the builder makes it, and its blocks cannot be laid out for updates.',
    cause: 'Another mkfs.erofs, which uses features of the format that Plinth does not know yet.',
    fix: 'Build with the toolbox of the lock; after an update of the toolbox, report it.',
  },
  'formats/verity-invalid': {
    meaning: 'A dm-verity superblock breaks the format or uses parameters Plinth does not write.',
    cause: 'Not a hash device, a damaged one, or one made with other block sizes or another hash.',
    fix: 'Build the image again with "plinth build".',
  },
  'formats/pe-invalid': {
    meaning: 'A file is not a 64-bit EFI program (PE32+), or breaks the format.',
    cause: 'A damaged or truncated boot loader, stub or UKI, or one for another architecture.',
    fix: 'Build the image again with "plinth build".',
  },
  'formats/gpt-invalid': {
    meaning: 'A disk has no sound GUID partition table.',
    cause: 'Not a disk image, a compressed one given as is, or a damaged one.',
    fix: 'Decompress the image, or write it to the disk again.',
  },
  'formats/fat-invalid': {
    meaning: 'A FAT file system breaks the format, or does not hold what is looked for.',
    cause: 'Not an EFI system partition, or a damaged one.',
    fix: 'Build the image again with "plinth build", or write it to the disk again.',
  },
  'formats/tar-invalid': {
    meaning: 'An entry cannot be expressed in a tar archive.',
    cause: 'A path that leaves the archive, comes twice, or is too long for the format.',
    fix: 'Rename the entry shown.',
  },
} as const satisfies CodeTable;
