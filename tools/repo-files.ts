import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** repoFiles lists tracked files and those about to be: paths relative to the top, deleted ones left out. */
export function repoFiles(): string[] {
  const listed = git('ls-files', '--cached', '--others', '--exclude-standard', '-z');
  const deleted = new Set(git('ls-files', '--deleted', '-z'));
  return [...new Set(listed)].filter((path) => !deleted.has(path)).sort();
}

/** readRepoFile is the text of a file of the repository; of a link, where it leads. */
export function readRepoFile(path: string): string {
  const absolute = join(root, path);
  return lstatSync(absolute).isSymbolicLink() ? readlinkSync(absolute) : readFileSync(absolute, 'utf8');
}

/** isSource tells hand-written TypeScript from the rest. */
export function isSource(path: string): boolean {
  return path.endsWith('.ts') && !path.includes('/gen/') && !path.endsWith('.gen.ts');
}

/** finish prints what a check found and ends the process with 1 when there is something. */
export function finish(check: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) return;
  console.error(`${check}: ${problems.length} problem(s)`);
  process.exitCode = 1;
}

function git(...args: string[]): string[] {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
    .split('\0')
    .filter((path) => path !== '');
}
