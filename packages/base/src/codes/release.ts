import type { CodeTable } from './types.ts';

export const releaseCodes = {
  'release/disk-format': {
    meaning: 'A disk could not be written in another format.',
    cause: 'The raw disk is not a whole number of MiB, or qemu-img wrote something unexpected.',
    fix: 'Build again; if it stays, report it with the versions of the toolbox.',
  },
  'release/not-found': {
    meaning: 'There is no release or disk where one was expected.',
    cause: 'A wrong path, or a folder that holds no manifest.',
    fix: 'Name the folder that "plinth build" printed, or a .raw or .raw.zst file.',
  },
  'release/manifest-invalid': {
    meaning: 'The manifest of a release cannot be read.',
    cause: 'It was damaged, changed by hand, or written by a newer Plinth.',
    fix: 'Fetch the release again, or update this tool.',
  },
  'release/facts-invalid': {
    meaning: 'The facts of a release cannot be read.',
    cause: 'The .facts.json file was damaged, changed by hand, or written by a newer Plinth.',
    fix: 'Fetch the release again, or update this tool.',
  },
  'release/sums-invalid': {
    meaning: 'A SHA256SUMS file is not in the form that clients accept.',
    cause: 'A damaged or hand-made file.',
    fix: 'Fetch the release again.',
  },
  'release/incomplete': {
    meaning: 'A release cannot be put together: something it is made of is missing.',
    cause: 'A build step left nothing, or a file was removed while the build ran.',
    fix: 'Build again.',
  },
  'release/disk-invalid': {
    meaning: 'A disk image is not one that Plinth builds.',
    cause: 'Another kind of file, or damage to its partition table.',
    fix: 'Name a .raw or .raw.zst disk of a release.',
  },
} as const satisfies CodeTable;
