import { PlinthError, type Progress } from '@plinth/base';
import { openStageCache, type StageCache } from '@plinth/host';
import { type BuiltGoComponent, buildGoComponent, findGoComponent } from './build-go-component.ts';
import { loadGoComponents } from './go-component.ts';
import { type GoTools, openGoTools, readGoToolchainKey } from './go-tools.ts';

/** Gives compiled components of go/components.yaml by name. */
export type GoComponentSource = (
  names: Iterable<string>,
  progress: Progress,
) => Promise<ReadonlyMap<string, BuiltGoComponent>>;

export interface GoComponentSourceOptions {
  /** The `go` folder: what is compiled. */
  readonly goDir: string;
  /** Folder of go-tools.yaml and its lock. */
  readonly lockDir: string;
  /** Processors to compile with; default all. */
  readonly jobs?: number | undefined;
  readonly cache?: StageCache | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * goComponentSource compiles what is asked for, one component after the other: each uses all processors, and two linkers
 * at once take 5 GiB of memory. What was compiled before is found without opening the toolchain.
 * The source throws image/spec-invalid for a name go/components.yaml does not have; go/…, toolbox/…, debian/….
 */
export function goComponentSource(options: GoComponentSourceOptions): GoComponentSource {
  const { goDir, lockDir, jobs, signal, cache = openStageCache() } = options;
  let tools: Promise<GoTools> | undefined;
  return async (names, progress) => {
    const known = await loadGoComponents(goDir);
    const key = await readGoToolchainKey(lockDir);
    const built = new Map<string, BuiltGoComponent>();
    for (const name of new Set(names)) {
      const component = known.get(name);
      if (component === undefined) {
        throw new PlinthError(
          'image/spec-invalid',
          `Cannot compile ${name}: go/components.yaml does not have it, expected one of ${[...known.keys()].join(', ')}`,
        );
      }
      const found = await findGoComponent(component, key, cache);
      if (found) {
        built.set(name, found);
        continue;
      }
      tools ??= progress.step('Open the Go toolchain', (step) =>
        openGoTools({ lockDir, progress: step, signal }),
      );
      built.set(
        name,
        await buildGoComponent(component, { tools: await tools, cache, jobs, progress, signal }),
      );
    }
    return built;
  };
}
