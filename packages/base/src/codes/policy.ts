import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

const removeIt =
  'Drop the package or path in os/plinth.yaml; if it must stay for now, add a dated waiver to os/policy.yaml.';

export const policyCodes = {
  'policy/invalid': {
    meaning: 'The image policy could not be read.',
    cause: 'An unknown key, a missing reason, or a date that is none in os/policy.yaml.',
    fix: 'Correct the place named in the message.',
    exitCode: exitCodes.usage,
  },
  'policy/violations': {
    meaning: 'The tree holds what the image policy forbids; no image was made.',
    cause: 'A package brought something new, or a path is no longer removed.',
    fix: 'Go through the findings; each names its path, its package and what to do.',
  },
  'policy/shell': {
    meaning: 'A shell is in the tree.',
    cause: 'A package depends on one, or a copy lies under another name.',
    fix: removeIt,
  },
  'policy/interpreter': {
    meaning: 'An interpreter is in the tree.',
    cause: 'A package brought a scripting language or its library.',
    fix: removeIt,
  },
  'policy/script': {
    meaning: 'A file that starts with "#!" is where programs can be executed.',
    cause: 'Packages ship helper scripts beside their programs.',
    fix: removeIt,
  },
  'policy/package-manager': {
    meaning: 'A package manager is in the tree.',
    cause: 'A dependency on dpkg, apt or a language’s own package tool.',
    fix: removeIt,
  },
  'policy/development-tool': {
    meaning: 'A compiler, linker, debugger or packet tracer is in the tree.',
    cause: 'A package for developers was pulled in.',
    fix: removeIt,
  },
  'policy/remote-login': {
    meaning: 'A remote login service is in the tree.',
    cause: 'A package brought sshd or one of its kind.',
    fix: removeIt,
  },
  'policy/setuid': {
    meaning: 'A file runs with the rights of its owner or group, and the policy does not list it.',
    cause: 'A package ships a setuid or setgid program.',
    fix: 'Remove the path or the bit in os/plinth.yaml, or list it under "setuid" with the reason.',
  },
  'policy/capability': {
    meaning: 'A file carries capabilities that the policy does not list.',
    cause: 'A security.capability attribute was set on the file.',
    fix: 'Remove the attribute, or list it under "capabilities" with the reason.',
  },
  'policy/library-missing': {
    meaning: 'A program or library needs a shared library that the tree does not have.',
    cause: 'A package was dropped that is needed after all, or a path was removed.',
    fix: 'Add the package that has the library, or remove the program that needs it.',
  },
  'policy/dlopen-missing': {
    meaning: 'A library that a program opens at run time is not in the tree.',
    cause: 'A recommended package was left out (UAPI.12 notes of the program name the library).',
    fix: 'Add the package, or list the feature under "dlopenWithout" with the reason.',
  },
  'policy/elf-unreadable': {
    meaning: 'A file starts like a program, but what it needs could not be read.',
    cause: 'A damaged or truncated file.',
    fix: 'Unpack its package again; if it stays, remove the path.',
  },
  'policy/world-writable': {
    meaning: 'A path may be written by everyone.',
    cause: 'A package or the builder set a wide mode.',
    fix: 'Narrow the mode in os/plinth.yaml or tmpfiles.d.',
  },
  'policy/dangling-link': {
    meaning: 'A symbolic link points to nothing in the tree.',
    cause: 'Its target was dropped or removed.',
    fix: 'Remove the link too, or list its target under "danglingLinks" if it exists only at run time.',
  },
  'policy/special-file': {
    meaning: 'A device node, socket or pipe is in the tree.',
    cause: 'A package archive or a tool of the builder made it.',
    fix: 'Remove the path: the running system makes such files itself.',
  },
  'policy/foreign-owner': {
    meaning: 'A path does not belong to root.',
    cause: 'A package archive gave it another owner.',
    fix: 'Let the builder own it; what a service writes belongs below /var, by tmpfiles.d.',
  },
  'policy/package-count': {
    meaning: 'The image holds more packages than its policy allows.',
    cause: 'A new package or a new dependency.',
    fix: 'Drop what is not needed in os/plinth.yaml.',
  },
  'policy/size-budget': {
    meaning: 'A part of the release is larger than its budget.',
    cause: 'A package grew or was added.',
    fix: 'See "plinth diff" against the last release, and remove what is not needed.',
  },
  'policy/waiver-expired': {
    meaning: 'A waiver’s last day has passed, so it excuses nothing any more.',
    cause: 'What it stood for was not mended in time.',
    fix: 'Mend the finding and delete the waiver, or decide anew with a new name and date.',
  },
  'policy/waiver-unused': {
    meaning: 'A waiver excuses nothing that is in the tree.',
    cause: 'The finding is gone.',
    fix: 'Delete the waiver from os/policy.yaml.',
  },
} as const satisfies CodeTable;
