import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir, exists } from '@plinth/host';
import { findGoComponent, loadGoComponents, readGoToolchainKey } from '@plinth/image';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** A suite of others that go/ pins. */
export interface Suite {
  /** Its version, which is upstream's. */
  readonly version: string;
  /** The program, where it was compiled on this machine. */
  readonly program: string | undefined;
}

/** findSuite looks for a compiled suite and never compiles: that takes minutes, and `plinth test --outsiders` does it. */
export async function findSuite(name: 'critest' | 'conformance'): Promise<Suite> {
  const component = (await loadGoComponents(join(repository, 'go'))).get(name);
  if (!component) throw new Error(`go/components.yaml has no ${name}`);
  const built = await findGoComponent(component, await readGoToolchainKey(join(repository, 'os')));
  return { version: component.version, program: built && [...built.programs.values()][0] };
}

/** findLayerTree gives the root of the Kubernetes layer that was assembled last; undefined when none was. */
export async function findLayerTree(): Promise<string | undefined> {
  const stages = join(cacheDir(), 'stages');
  const names = (await readdir(stages).catch(() => [])).filter((name) =>
    name.startsWith('kubernetes-layer-'),
  );
  const found: { root: string; ms: number }[] = [];
  for (const name of names) {
    const root = join(stages, name, 'root');
    if (await exists(join(root, 'usr/libexec/cni'))) found.push({ root, ms: (await stat(root)).ctimeMs });
  }
  return found.toSorted((a, b) => b.ms - a.ms)[0]?.root;
}
