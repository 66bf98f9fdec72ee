import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const publishCodes = {
  'publish/keys-missing': {
    meaning: 'Too few private keys of a role are at hand to sign with.',
    cause: 'The keys were not made yet, are kept on another medium, or are lost.',
    fix: 'Bring as many keys of the role into the key folder as the message asks for; replace a lost one with "plinth release rotate-keys".',
  },
  'publish/repository-invalid': {
    meaning: 'A folder is no release repository, or what is in it does not hold together.',
    cause: 'Another folder, files changed by hand, or a copy that was made while something was published.',
    fix: 'Name the folder that "plinth release publish --to" made, or restore it from a copy.',
  },
  'publish/foreign-repository': {
    meaning: 'A repository belongs to other update keys.',
    cause: 'It was made with another key folder, or the key folder is an older copy.',
    fix: 'Use the key folder that the repository was made with, in its newest copy.',
  },
  'publish/release-differs': {
    meaning: 'A file of this name is published already, with other content.',
    cause: 'The release was built again, differently, under the version of one that is published.',
    fix: 'Give the release another version: what is published under a name never changes.',
  },
  'publish/release-refused': {
    meaning: 'A release is not fit to be published.',
    cause: 'A link of it is broken, or could not be checked.',
    fix: 'Look at "plinth verify RELEASE"; publish what passes.',
  },
  'publish/not-published': {
    meaning: 'The channel has no such release.',
    cause: 'A mistyped version, or another channel.',
    fix: 'See what there is with "plinth release channel show".',
    exitCode: exitCodes.usage,
  },
  'publish/request-invalid': {
    meaning: 'A publication was asked for with a value that cannot be used.',
    cause: 'A channel name, version, duration or address of another form than expected.',
    fix: 'Mend the value named in the message.',
    exitCode: exitCodes.usage,
  },
  'publish/registry-denied': {
    meaning: 'A registry does not let the caller do this.',
    cause: 'No credentials for it in the configuration of docker, or ones that may not push there.',
    fix: 'Log in to the registry with a tool that writes "auths" into ~/.docker/config.json.',
    exitCode: exitCodes.forbidden,
  },
  'publish/registry-failed': {
    meaning: 'A registry did not do what was asked of it.',
    cause: 'It cannot be reached, is full, or does not know what it was sent; the message has its answer.',
    fix: 'Try again; what arrived is not sent twice.',
  },
} as const satisfies CodeTable;
