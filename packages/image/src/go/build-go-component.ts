import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { type GoBuildInfo, readElf } from '@plinth/formats';
import { exists, openStageCache, type StageCache, type StageInputs, stageKey } from '@plinth/host';
import { compileGo } from './compile-go.ts';
import { describeSeconds, estimateSeconds } from './estimate.ts';
import { fetchGoModules } from './fetch-go-modules.ts';
import { type GoCache, openGoCache } from './go-cache.ts';
import { buildFlags, TARGET } from './go-command.ts';
import { digestComponent, type GoComponent, programNames } from './go-component.ts';
import type { GoTools } from './go-tools.ts';

export interface BuildGoOptions {
  readonly tools: GoTools;
  readonly cache?: StageCache | undefined;
  readonly goCache?: GoCache | undefined;
  /** Processors to use; default all. */
  readonly jobs?: number | undefined;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A compiled component. */
export interface BuiltGoComponent {
  readonly component: GoComponent;
  /** Identifies the result: part of the key of whatever is made from it. */
  readonly key: string;
  /** Paths of the programs, by name. */
  readonly programs: ReadonlyMap<string, string>;
  /** What each program was compiled from, for the bill of materials. */
  readonly modules: Readonly<Record<string, GoBuildInfo>>;
}

const MODULES_FILE = 'modules.json';

/**
 * buildGoComponent compiles a component once for its source, requirements, flags and toolchain; nothing else of Plinth
 * is part of its key, so a change elsewhere never compiles it again.
 * @throws go/modules-unavailable, go/modules-changed, go/compile-failed, host/disk-full
 */
export async function buildGoComponent(
  component: GoComponent,
  options: BuildGoOptions,
): Promise<BuiltGoComponent> {
  const { tools, jobs = availableParallelism(), progress = silentProgress, signal } = options;
  const cache = options.cache ?? openStageCache();
  const estimate = describeSeconds(estimateSeconds(component.cpuSeconds, jobs));
  const dir = await cache.stage(
    stageName(component),
    `Compile ${component.name} ${component.version}`,
    await stageInputs(component, tools.key),
    progress,
    async (work, step) => {
      const goCache = options.goCache ?? (await openGoCache());
      const packageCount = await step.step('Fetch its modules', (fetching) =>
        fetchGoModules(component, { tools, cache: goCache, progress: fetching, signal }),
      );
      const title = `Compile ${packageCount} packages (about ${estimate} when none is cached)`;
      await step.step(title, (compiling) =>
        compileGo(component, work, {
          tools,
          cache: goCache,
          jobs,
          packageCount,
          progress: compiling,
          signal,
        }),
      );
      const modules = await readModules(component, work);
      await writeFile(join(work, MODULES_FILE), `${JSON.stringify(modules, undefined, 1)}\n`);
    },
  );
  return readBuilt(component, dir);
}

/**
 * findGoComponent gives a component that was compiled before, and never compiles: for tests and reports.
 * @param toolchainKey as readGoToolchainKey gives it
 */
export async function findGoComponent(
  component: GoComponent,
  toolchainKey: string,
  cache: StageCache = openStageCache(),
): Promise<BuiltGoComponent | undefined> {
  const key = stageKey(stageName(component), await stageInputs(component, toolchainKey));
  const dir = join(cache.root, `${stageName(component)}-${key}`);
  return (await exists(dir)) ? readBuilt(component, dir) : undefined;
}

function stageName({ name }: GoComponent): string {
  return `go-${name}`;
}

async function stageInputs(component: GoComponent, toolchainKey: string): Promise<StageInputs> {
  return {
    files: await digestComponent(component),
    toolchain: toolchainKey,
    target: TARGET,
    flags: buildFlags(component),
    packages: component.packages,
    // Only where it is so: what was compiled before there were suites is found as before.
    ...(component.isTests && { tests: true }),
  };
}

async function readBuilt(component: GoComponent, dir: string): Promise<BuiltGoComponent> {
  const names = programNames(component);
  return {
    component,
    key: basename(dir),
    programs: new Map(names.map((name) => [name, join(dir, name)])),
    modules: JSON.parse(await readFile(join(dir, MODULES_FILE), 'utf8')) as Record<string, GoBuildInfo>,
  };
}

/** The module list that Go's linker leaves in each program: what `go version -m` shows. */
async function readModules(component: GoComponent, dir: string): Promise<Record<string, GoBuildInfo>> {
  const lists: Record<string, GoBuildInfo> = {};
  for (const name of programNames(component)) {
    const go = readElf(await readFile(join(dir, name)), name)?.go;
    if (go === undefined) {
      throw new PlinthError('go/compile-failed', `Cannot use ${name}: it has no module list, expected one`);
    }
    lists[name] = go;
  }
  return lists;
}
