import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const goCodes = {
  'go/components-invalid': {
    meaning: 'go/components.yaml, or a module it names, does not say what it must say.',
    cause: 'A typing error, or a module folder without its go.mod.',
    fix: 'Mend the lines shown.',
    exitCode: exitCodes.usage,
  },
  'go/modules-unavailable': {
    meaning: 'The Go modules of a component could not be fetched.',
    cause: 'No network, or a module proxy that does not have one of them.',
    fix: 'Name a proxy that has them in PLINTH_GOPROXY or in "go env -w GOPROXY=…", and run again.',
  },
  'go/modules-changed': {
    meaning: 'A Go module is not the one that go.sum pins.',
    cause: 'A damaged download, a module that was published anew, or a proxy that lies.',
    fix: 'Do not use it. Remove the "go" folder of the cache and fetch from another proxy.',
  },
  'go/compile-failed': {
    meaning: 'A component does not compile.',
    cause: 'A version was changed that needs a change of our source, or a newer toolchain.',
    fix: 'Read the compiler output shown.',
  },
} as const satisfies CodeTable;
