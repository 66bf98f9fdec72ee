import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const debianCodes = {
  'debian/no-mirror': {
    meaning: 'It is not known where to fetch Debian packages from.',
    cause: 'The machine has no Debian entry in its apt settings (it may not be Debian), and none was named.',
    fix: 'Name the mirrors with --mirror URL and --security-mirror URL, or with PLINTH_MIRROR and PLINTH_SECURITY_MIRROR.',
    exitCode: exitCodes.usage,
  },
  'debian/index-untrusted': {
    meaning: 'A package index is not signed by a Debian archive key that Plinth trusts.',
    cause: 'A tampered or foreign mirror, a captive portal, or an archive key newer than os/trust.',
    fix: 'Use another mirror; if Debian changed its keys, renew os/trust as its README says.',
  },
  'debian/index-expired': {
    meaning: 'A signed package index is past the date until which Debian vouches for it.',
    cause:
      'A mirror that is no longer updated, somebody replaying an old index, or a wrong clock on this machine.',
    fix: 'Check the clock; then use a mirror that is up to date.',
  },
  'debian/index-older': {
    meaning: 'A mirror offers an older index than the one the lock at hand was made from.',
    cause: 'A mirror that lags behind, or somebody replaying an old index to hold back security updates.',
    fix: 'Use another mirror. To go back on purpose, delete the lock file first.',
  },
  'debian/index-invalid': {
    meaning: 'A package index is not what was asked for, or cannot be read.',
    cause: 'A mirror that answers for another release, or one in the middle of an update.',
    fix: 'Run again in a few minutes, or use another mirror.',
  },
  'debian/spec-invalid': {
    meaning: 'The list of packages an image is made of is not valid.',
    cause: 'A misspelt key, a missing reason, or a package both wanted and dropped.',
    fix: 'Mend the place named in the message.',
    exitCode: exitCodes.usage,
  },
  'debian/unsatisfiable': {
    meaning: 'The wanted packages have a dependency that no package in the chosen suites satisfies.',
    cause: 'A misspelt package, a dropped or too old dependency, or a suite that is missing from the list.',
    fix: 'Follow the chain in the message; change the package, its suite or the dropped list.',
  },
  'debian/conflict': {
    meaning: 'Two packages of the closure cannot be installed together.',
    cause: 'One declares Conflicts or Breaks against the other.',
    fix: 'Choose one of the two in the package list, or drop the other with a reason.',
  },
  'debian/lock-missing': {
    meaning: 'There is no lock file for this package list.',
    cause: 'It was never made, or the path is wrong.',
    fix: 'Run "plinth lock --update".',
  },
  'debian/lock-invalid': {
    meaning: 'A lock file cannot be read.',
    cause: 'An edit by hand, a merge conflict left in it, or a newer format.',
    fix: 'Restore it from git, or make it anew with "plinth lock --update".',
    exitCode: exitCodes.usage,
  },
  'debian/lock-stale': {
    meaning: 'The lock file was made from another package list than the one at hand.',
    cause: 'The package list was edited after the lock was made.',
    fix: 'Run "plinth lock --update" and review the difference.',
  },
  'debian/package-gone': {
    meaning: 'The mirror no longer has packages that the lock file names.',
    cause: 'Debian replaced them by newer versions (security updates and point releases do that).',
    fix: 'Run "plinth lock --update", or name a mirror or folder that keeps old packages.',
  },
  'debian/package-corrupt': {
    meaning: 'A package file cannot be unpacked.',
    cause: 'It is truncated or damaged, or its compression is unknown to the dpkg-deb of this machine.',
    fix: 'Delete the file named in the message and run again: it is fetched anew.',
  },
} as const satisfies CodeTable;
