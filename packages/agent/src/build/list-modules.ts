import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** One npm package of which at least one file is in the bundle. */
export interface BundledModule {
  readonly name: string;
  readonly version: string;
  /** SPDX expression as the package states it; "NOASSERTION" when it states none. */
  readonly license: string;
}

const manifest = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

/**
 * listModules names the packages that files of a bundle come from, sorted by name and version; the workspace's own
 * packages are not among them.
 * @param inputs paths of bundled files relative to `root`, as esbuild's metafile gives them
 */
export async function listModules(
  inputs: readonly string[],
  root: string,
): Promise<readonly BundledModule[]> {
  const folders = new Set(inputs.flatMap((input) => packageFolder(input) ?? []));
  const modules = await Promise.all([...folders].map((folder) => readManifest(join(root, folder))));
  return modules.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** "node_modules/@a/b/dist/x.js" gives "node_modules/@a/b"; undefined outside of node_modules. */
export function packageFolder(input: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
}

async function readManifest(folder: string): Promise<BundledModule> {
  const { name, version, license } = manifest.parse(
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
  );
  return { name, version, license: license ?? 'NOASSERTION' };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
