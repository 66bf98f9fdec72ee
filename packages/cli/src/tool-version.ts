import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unreachable } from '@plinth/base';
import { repositoryRoot } from './repository.ts';

/** readToolVersion is the version of these tools, from package.json at the root. */
export async function readToolVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : unreachable('package.json has no version');
}
