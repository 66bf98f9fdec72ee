import { PlinthError } from '@plinth/base';
import type { Toolbox } from '@plinth/toolbox';

const INSIDE = '/mnt/tree';

/**
 * readCapabilities lists the file capabilities below a folder, by path inside it, in the words of getcap(8).
 * @throws policy/capability when the tool's answer cannot be understood, and what Toolbox.run throws
 */
export async function readCapabilities(toolbox: Toolbox, rootDir: string): Promise<Map<string, string>> {
  const { stdout } = await toolbox.run('getcap', ['-r', INSIDE], {
    binds: [{ host: rootDir, inside: INSIDE, readOnly: true }],
  });
  const lines = stdout.toString('utf8').split('\n').filter(Boolean);
  return new Map(lines.map(parseLine));
}

/** "/mnt/tree/usr/bin/ping cap_net_raw=ep"; a path may hold spaces, capabilities do not. */
function parseLine(line: string): [path: string, capabilities: string] {
  const space = line.lastIndexOf(' ');
  if (line.startsWith(`${INSIDE}/`) && space > 0) {
    return [line.slice(INSIDE.length, space), line.slice(space + 1)];
  }
  throw new PlinthError(
    'policy/capability',
    `Cannot read file capabilities: getcap wrote "${line}", expected a path and its capabilities`,
  );
}
