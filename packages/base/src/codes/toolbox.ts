import type { CodeTable } from './types.ts';

export const toolboxCodes = {
  'toolbox/no-isolation': {
    meaning:
      'The machine allows neither root nor unprivileged user namespaces, so no tool can be run apart from it.',
    cause: 'A hardened kernel, or a container without the needed rights.',
    fix: 'Run as root, or allow unprivileged user namespaces for this user.',
  },
  'toolbox/build-failed': {
    meaning: 'The root of tools could not be put together from its packages.',
    cause: 'A full disk, or a lock file whose packages do not fit together.',
    fix: 'Read the output shown; run again after mending it.',
  },
  'toolbox/tool-missing': {
    meaning: 'A program is not in the toolbox.',
    cause: 'The package that has it is not in the list of the toolbox.',
    fix: 'Add its package to os/toolbox.yaml and run "plinth lock --update".',
  },
} as const satisfies CodeTable;
