import { join } from 'node:path';
import { bundleAgent } from '@plinth/agent';
import { hashFile, hashText } from '@plinth/host';
import { type AgentRecipe, digestFolder } from '@plinth/image';
import type { Toolbox } from '@plinth/toolbox';
import { repositoryRoot } from '../repository.ts';
import { readToolVersion } from '../tool-version.ts';
import { packageClosure } from './package-closure.ts';
import { osDir } from './use-lock.ts';

/** agentRecipe tells the builder how to make plinthd, and when it must be made anew. */
export async function agentRecipe(toolbox: Toolbox, signal: AbortSignal): Promise<AgentRecipe> {
  const version = await readToolVersion();
  const pathsFile = join(osDir, 'paths.yaml');
  const inputs = await Promise.all([
    ...(await packageClosure('agent')).map((name) =>
      digestFolder(join(repositoryRoot, 'packages', name, 'src')),
    ),
    // Pins every library in the bundle, and the Node it runs on.
    ...[join(repositoryRoot, 'package-lock.json'), pathsFile].map(
      async (path) => (await hashFile(path)).sha256,
    ),
  ]);
  return {
    digest: hashText([...inputs, toolbox.key, version].join('\n')),
    build: async (dir) => {
      await bundleAgent({
        outDir: dir,
        nodeBinary: process.execPath,
        pathsFile,
        version,
        stripBinary: async (path) => {
          await toolbox.run('strip', [path], { binds: [{ host: dir, inside: dir }], signal });
        },
      });
    },
  };
}
