import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { LockedPackage } from '@plinth/debian';
import { ioError, mapParallel } from '@plinth/host';
import type { BuiltTree, TreeEntry } from '../../types.ts';
import { findEnabledUnits, isSocketUnit, parseListeners } from './find-units.ts';
import { parseKernelConfig } from './kernel-config.ts';
import { readModuleFacts } from './module-facts.ts';
import type { FactsFile, Listener, ReleaseFacts } from './release-facts.ts';

export interface FactsInputs {
  readonly name: string;
  readonly version: string;
  readonly packages: readonly LockedPackage[];
  /** With digests, see hashTree. */
  readonly tree: BuiltTree;
  /** Text of the kernel's .config. */
  readonly kernelConfig: string;
  readonly sizes: Readonly<Record<string, number>>;
}

/**
 * collectFacts gathers what releases are compared by.
 * @throws host/io
 */
export async function collectFacts(inputs: FactsInputs): Promise<ReleaseFacts> {
  const { tree } = inputs;
  const units = findEnabledUnits(tree.entries);
  const enabled = new Set(units.map(({ unit }) => unit));
  const kernelModules = await readModuleFacts(tree);
  return {
    format: 1,
    name: inputs.name,
    version: inputs.version,
    packages: inputs.packages.map(({ name, version, source, sourceVersion }) => ({
      name,
      version,
      source,
      sourceVersion,
    })),
    files: tree.entries.map(factsFile),
    enabledUnits: units.map(({ unit, wantedBy }) => `${unit} ${wantedBy}`),
    listeners: await readListeners(tree, enabled),
    execute: await readExecuteLevel(tree),
    kernelConfig: parseKernelConfig(inputs.kernelConfig),
    ...(kernelModules ? { kernelModules } : {}),
    sizes: inputs.sizes,
  };
}

async function readListeners(tree: BuiltTree, enabled: ReadonlySet<string>): Promise<Listener[]> {
  const sockets = tree.entries.filter(isSocketUnit);
  const lists = await mapParallel(sockets, 8, async ({ path }) => {
    const unit = posix.basename(path);
    const text = await readFile(join(tree.rootDir, path), 'utf8').catch((reason: unknown) => {
      throw ioError(reason, `read ${path}`);
    });
    return parseListeners(unit, text, enabled.has(unit));
  });
  return lists.flat();
}

/** As the image itself tells its node. */
async function readExecuteLevel({ rootDir }: BuiltTree): Promise<string> {
  const text = await readFile(join(rootDir, 'usr/lib/os-release'), 'utf8').catch((reason: unknown) => {
    throw ioError(reason, 'read usr/lib/os-release');
  });
  return /^PLINTH_EXECUTE=(\w+)$/m.exec(text)?.[1] ?? '';
}

function factsFile({ path, kind, mode, sizeBytes, owner, target, sha256 }: TreeEntry): FactsFile {
  return {
    ...{ path, kind, mode, sizeBytes, owner },
    ...(target === undefined ? {} : { target }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}
