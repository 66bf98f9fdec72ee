import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const imageCodes = {
  'image/spec-invalid': {
    meaning: 'A file below os/ does not say what it must say.',
    cause: 'A typing error, or a field of another version of Plinth.',
    fix: 'Mend the lines shown; docs/reference/os-spec.md lists every field.',
    exitCode: exitCodes.usage,
  },
  'image/lock-stale': {
    meaning: 'os/plinth.lock.json was not made from the os/plinth.yaml beside it.',
    cause: 'Packages or suites were changed without locking them again.',
    fix: 'Run "plinth lock" and review the difference.',
  },
  'image/file-conflict': {
    meaning: 'Two packages ship the same path with different contents.',
    cause: 'One of them relies on diversions or alternatives, which only maintainer scripts make.',
    fix: 'Add the path of the one that is not wanted to "removed" in os/plinth.yaml.',
  },
  'image/kernel-missing': {
    meaning: 'The tree holds no kernel, or more than one.',
    cause: 'The kernel package in os/plinth.yaml is missing or doubled.',
    fix: 'Name exactly one kernel package in os/plinth.yaml.',
  },
  'image/initrd-incomplete': {
    meaning: 'Something the initrd must carry is not in the image tree.',
    cause: 'A package renamed a file, or os/initrd.yaml names one that is removed.',
    fix: 'Mend the entries named in os/initrd.yaml.',
  },
  'image/stub-unknown': {
    meaning: 'The UKI stub of systemd is not one the builder knows how to close for arguments from outside.',
    cause: 'A new version of systemd-boot-efi.',
    fix: 'Keep the locked version, and open an issue with the version of systemd-boot-efi.',
  },
  'image/ipe-policy-invalid': {
    meaning: 'A file below os/ipe does not say what the kernel takes, which would end the boot.',
    cause: 'A typing error, or a property that this image does not rely on.',
    fix: 'Mend the line shown; the Linux documentation of IPE has the grammar.',
    exitCode: exitCodes.usage,
  },
  'image/too-large': {
    meaning: 'A part of the image does not fit its partition.',
    cause: 'New packages, or a partition that was made smaller.',
    fix: 'Raise the size in os/plinth.yaml under "partitions"; nodes with the old layout must be installed anew.',
  },
  'image/not-reproducible': {
    meaning: 'Two builds of the same inputs gave different bytes.',
    cause: 'A tool wrote a time, a path, an order or a random number into its output.',
    fix: 'Look at the first differing file shown.',
  },
  'image/container-failed': {
    meaning: 'A container image of programs of Plinth itself cannot be put together.',
    cause: 'A package of the lock has another layout, or the modules of the repository are not whole.',
    fix: 'Install the modules of the repository anew with "npm ci", then try again.',
  },
} as const satisfies CodeTable;
