// Files stay small enough to be read in one sitting: fails above 400 lines. Data and generated code are exempt.
import { finish, isSource, readRepoFile, repoFiles } from './repo-files.ts';

const MOST_LINES = 400;

const problems = repoFiles()
  .filter(isSource)
  .map((path) => ({ path, lines: readRepoFile(path).split('\n').length - 1 }))
  .filter(({ lines }) => lines > MOST_LINES)
  .map(({ path, lines }) => `${path}: ${lines} lines, expected at most ${MOST_LINES}`);

finish('check-size', problems);
