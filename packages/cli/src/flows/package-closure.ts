import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../repository.ts';

const SCOPE = '@plinth/';

/** packageClosure names a package of this repository and all of its packages that it depends on, itself first. @throws errors of node:fs */
export async function packageClosure(name: string): Promise<readonly string[]> {
  const found = [name];
  // The list grows while it is gone through.
  for (const each of found) {
    const text = await readFile(join(repositoryRoot, 'packages', each, 'package.json'), 'utf8');
    const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(text);
    const own = Object.keys(dependencies).filter((key) => key.startsWith(SCOPE));
    found.push(...own.map((key) => key.slice(SCOPE.length)).filter((key) => !found.includes(key)));
  }
  return found;
}
