import { posix } from 'node:path';
import { OBSERVED_LIMITS } from './limits.ts';
import { makeRefusal, type Refusal } from './refusal.ts';

// Only what a program says when a system call failed, in the words of the C library, Go, Node and Python. A line that
// merely speaks of such a thing is not one. No text of a log goes into a finding but the path or the program's name.

/** After the words of an error comes its end, or what it was said with. */
const END = String.raw`(?=$|["'\\.,;:)\]}]|\s+at\s|\s*\()`;
const READ_ONLY = new RegExp(
  String.raw`(?:: |\[Errno 30\] |\bEROFS: )read-only file system${END}|\bEROFS\b`,
  'i',
);
const QUOTE = `['"\`‘’“”]`;
const READ_ONLY_PATHS = [
  // cp: cannot create regular file '/opt/x': Read-only file system
  new RegExp(`${QUOTE}(/[^'"\`‘’“”]+)${QUOTE}: read-only file system`, 'i'),
  // open /etc/x: read-only file system
  /(?:^|[\s=("'])(\/[^\s:'"]+): read-only file system/i,
  // [Errno 30] Read-only file system: '/etc/x'; EROFS: read-only file system, open '/etc/x'
  /read-only file system(?:: |, \w+ )['"](\/[^'"]+)['"]/i,
];
const EXECUTE = [
  /\b(?:fork\/exec|exec|execve):? \\?['"‘]?(\/[^\s:'"’\\]+)\\?['"’]?: permission denied/i,
  /\bspawn (\/\S+) EACCES\b/,
  // What dash and busybox say of a program; bash says the same of a file it cannot write, so it is left out.
  /^(?:\/bin\/)?(?:da|a)?sh: (?:(?:line )?\d+: )?(\/[^\s:]+): Permission denied$/,
  /^env: ['‘"]?(\/[^\s:'’"]+)['’"]?: Permission denied$/,
];
const MISSING =
  /\b(?:nsenter|chroot): (?:failed to (?:execute|run command)|can't execute) ['‘"]?([\w./+-]{1,200})['’"]?: No such file or directory/;

/** parseContainerLine reads a failed system call from a line that a container wrote; undefined for every other line. */
export function parseContainerLine(line: string, timeMs: number): Refusal | undefined {
  const text = line.slice(0, OBSERVED_LIMITS.lineChars).trimEnd();
  if (READ_ONLY.test(text))
    return makeRefusal({
      kind: 'read-only',
      timeMs,
      enforced: true,
      action: 'write',
      path: firstPath(READ_ONLY_PATHS, text),
    });
  const program = firstPath(EXECUTE, text);
  if (program !== '')
    return makeRefusal({ kind: 'execute', timeMs, enforced: true, action: 'execute', path: program });
  const missing = MISSING.exec(text)?.[1];
  if (missing === undefined) return undefined;
  const name = posix.basename(missing);
  const path = missing.startsWith('/') ? posix.normalize(missing) : '';
  return makeRefusal({ kind: 'program-missing', timeMs, enforced: true, action: 'execute', name, path });
}

function firstPath(shapes: readonly RegExp[], text: string): string {
  for (const shape of shapes) {
    const path = shape.exec(text)?.[1];
    if (path !== undefined) return posix.normalize(path).slice(0, OBSERVED_LIMITS.textChars);
  }
  return '';
}
