import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const advisoryCodes = {
  'advisory/subject-unknown': {
    meaning: 'What was to be scanned is nothing that Plinth can read.',
    cause: 'A mistyped path, or a file of another kind.',
    fix: 'Name a release folder, papers of a layer, a lock, the root of a Debian system, an SBOM (SPDX 2.3, CycloneDX), or a node of "plinth config contexts".',
    exitCode: exitCodes.usage,
  },
  'advisory/subject-invalid': {
    meaning: 'What was to be scanned is damaged, or does not say what it must.',
    cause: 'A file that was cut off or changed by hand, or one that goes past the limits of a reader.',
    fix: 'Make the document again with the tool that made it.',
  },
  'advisory/feed-invalid': {
    meaning: 'A feed of vulnerability data cannot be read.',
    cause: 'It was cut off, has a new shape, or goes past the limits of a reader.',
    fix: 'Fetch it again; until then findings that need it are unknown.',
  },
  'advisory/bundle-untrusted': {
    meaning: 'A bundle of feeds is not signed by a key that is trusted here.',
    cause: 'It was made with other keys, or changed on its way.',
    fix: 'Name the key folder or certificate that the bundle was signed with: --keys.',
  },
  'advisory/bundle-older': {
    meaning: 'A bundle of feeds is older than what is here.',
    cause: 'A mixed-up medium, or somebody who wants known flaws forgotten.',
    fix: 'Bring a newer bundle; nothing was changed.',
  },
  'advisory/store-failed': {
    meaning: 'The database of vulnerability data cannot be used.',
    cause: 'It is damaged, from a newer Plinth, or kept busy by another run for too long.',
    fix: 'Try again; if it stays, delete the file named in the message: it is made again from the feeds.',
  },
  'advisory/kernel-map': {
    meaning: 'The map from kernel source files to configuration symbols is not one.',
    cause: 'A file in packages/advisory/data was edited by hand or cut off.',
    fix: 'Make it again: "node tools/make-kernel-map.ts SOURCE-TREE VERSION".',
  },
  'advisory/policy-invalid': {
    meaning: 'A policy for vulnerabilities is not valid.',
    cause: 'A field is missing, misspelt or out of its range.',
    fix: 'Mend the field named in the message; docs/how-to/see-what-is-open.md shows a whole policy.',
    exitCode: exitCodes.usage,
  },
  'advisory/statements-invalid': {
    meaning: 'A file of statements about what is not affected is not valid.',
    cause: 'A field is missing or misspelt, or a judgement by a person has no author, reason or end.',
    fix: 'Mend the field named in the message; docs/how-to/see-what-is-open.md shows a whole file.',
    exitCode: exitCodes.usage,
  },
  'advisory/waiver-invalid': {
    meaning: 'A waiver of a target is not valid.',
    cause:
      'Its identifier is mistyped, its end is past or more than a year away, or it has no reason or author.',
    fix: 'Give --reason (10 characters or more), --author and --until with a date within a year.',
    exitCode: exitCodes.usage,
  },
  'advisory/not-found': {
    meaning: 'An identifier is not among what the scan found.',
    cause: 'A mistyped identifier, or one that none of the feeds at hand names for this subject.',
    fix: 'List what there is with "plinth cve scan"; look at the feeds with "plinth cve feeds list".',
    exitCode: exitCodes.usage,
  },
  'advisory/record-invalid': {
    meaning: 'A record of an advisory cannot be published as it is.',
    cause: 'It was damaged or changed by hand, contradicts itself, or was written by a newer Plinth.',
    fix: 'Mend what the message names, or make the record again.',
  },
  'advisory/document-refused': {
    meaning: 'A document about vulnerabilities is not read.',
    cause: 'It goes past the limits of a reader, is not well-formed, or is not what its name says.',
    fix: 'Fetch it again from its publisher; nothing was taken from it.',
  },
  'advisory/not-public': {
    meaning: 'A record is not ready to be seen by everybody.',
    cause: 'It is a draft.',
    fix: 'Set its state to "interim" or "final" when it has been reviewed.',
    exitCode: exitCodes.usage,
  },
  'advisory/record-conflict': {
    meaning: 'A record differs from the published one without a revision that says so.',
    cause: 'It was changed in place, or an older copy of it was given.',
    fix: 'Add a revision with the next number, its date and what changed.',
  },
  'advisory/address-unknown': {
    meaning: 'It is not known where advisories will be served; their documents name their own addresses.',
    cause: 'The first publication into a folder, without an address or with one that is not https.',
    fix: 'Say with --url where the tree will be served; it stays for later publications.',
    exitCode: exitCodes.usage,
  },
  'advisory/tree-invalid': {
    meaning: 'A folder is no tree of advisories, or what is in it does not hold together.',
    cause: 'Another folder, files changed by hand, or a copy that was broken off.',
    fix: 'Name the folder that "plinth cve publish" or "plinth cve watch" wrote; what is damaged is published again into a new one.',
  },
} as const satisfies CodeTable;
