import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Progress } from '@plinth/base';
import type { LockedPackage } from '@plinth/debian';
import { exists, hashText, run, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { TRUSTED_ROOT_PATH } from '@plinth/updates';
import type { GoComponentSource } from '../go/provide-go-components.ts';
import { IPE_POLICY_PATH, readIpePolicy } from '../ipe/ipe-policy.ts';
import { type OsSpec, type TreeSpec, treeSpecOf } from '../spec/os-spec.ts';
import { sourceOf } from '../spec/program-source.ts';
import { applyTree, makeFolder, replaceFile } from '../tree/apply-tree.ts';
import { configureTree, OS_FOLDERS } from '../tree/configure-tree.ts';
import { finishTree, indexTree, keepKernelConfig } from '../tree/finish-tree.ts';
import { findPrograms, type PlacedProgram, placePrograms } from '../tree/place-programs.ts';
import { planTree } from '../tree/plan-tree.ts';
import { scanPackage } from '../tree/scan-package.ts';
import { digestFolder } from './digest-folder.ts';
import { SELINUX_PACKAGE, selinuxStage } from './selinux-stage.ts';
import { startSetup } from './start-setup.ts';
import { unpackPackages } from './unpack-packages.ts';

/** Makes plinthd; given by the caller, because the agent is a program of its own. */
export interface AgentRecipe {
  /** Identifies everything the result depends on. */
  readonly digest: string;
  /** Leaves the executable `plinthd` and its module list `modules.json` in `dir`. */
  build(dir: string): Promise<void>;
}

export interface TreeInputs {
  readonly spec: OsSpec;
  readonly osDir: string;
  readonly packages: readonly LockedPackage[];
  /** Where each locked package's file is. */
  readonly debs: ReadonlyMap<string, string>;
  readonly agent: AgentRecipe;
  /** Goes to TRUSTED_ROOT_PATH. */
  readonly updateRoot: Uint8Array;
  /** Compiles the programs of `spec.programs`. */
  readonly compile: GoComponentSource;
  readonly toolbox: Toolbox;
  readonly cache: StageCache;
  readonly signal?: AbortSignal;
}

/** The finished tree and what later stages need to know about it. */
export interface TreeResult {
  /** Folder of the tree itself. */
  readonly root: string;
  /** Identifies the tree: part of the key of whatever is made from it. */
  readonly key: string;
  readonly kernelVersion: string;
  /** Which package each path comes from; paths not in it are Plinth's own. */
  readonly owners: ReadonlyMap<string, string>;
  /** The unpacked package a boot component is taken from. */
  packageDir(name: string): string;
  readonly agentDir: string;
  readonly unusedRules: readonly string[];
}

const BUILDER_SOURCE = join(import.meta.dirname, '..', 'tree');

/**
 * buildTree assembles the root tree without running any maintainer script (D2): unpack, merge, configure, finish.
 * What depends on packages only is a stage of its own, so a changed unit file costs one copy of links.
 * @throws debian/package-corrupt, image/file-conflict, image/kernel-missing, host/disk-full
 */
export async function buildTree(inputs: TreeInputs, progress: Progress): Promise<TreeResult> {
  const { spec, toolbox, cache } = inputs;
  const builder = await digestFolder(BUILDER_SOURCE);
  const unpacked = await unpackPackages(inputs.packages, inputs.debs, cache, progress, inputs.signal);
  const packageDir = (name: string) => {
    const found = unpacked.get(name);
    if (found === undefined) throw new Error(`package ${name} is not in the lock`);
    return found;
  };
  const [base, selinux, agentDir, components] = await Promise.all([
    cache.stage(
      'packages',
      'Merge packages into one tree',
      {
        builder,
        toolbox: toolbox.key,
        packages: [...unpacked.values()].map((dir) => basename(dir)).sort(),
        removed: spec.removed,
        scripts: spec.scriptPaths,
      },
      progress,
      (dir) => mergePackages(dir, unpacked, spec, toolbox),
    ),
    selinuxStage(packageDir(SELINUX_PACKAGE), inputs, progress),
    cache.stage(
      'agent',
      'Build plinthd',
      { agent: inputs.agent.digest, toolbox: toolbox.key },
      progress,
      (dir) => inputs.agent.build(dir),
    ),
    inputs.compile(
      spec.programs.map(({ from }) => sourceOf(from).owner),
      progress,
    ),
  ]);
  const programs = findPrograms(spec.programs, components);
  const treeSpec = treeSpecOf(spec);
  const folders = await Promise.all(
    Object.keys(OS_FOLDERS)
      .map((name) => join(inputs.osDir, name))
      .map(async (folder) => ((await exists(folder)) ? digestFolder(folder) : 'absent')),
  );
  const setup = await startSetup(inputs.osDir, spec.execute);
  const ipePolicy = await readIpePolicy(inputs.osDir, spec.execute, spec.version);
  const tree = await cache.stage(
    'tree',
    'Configure the tree',
    {
      builder,
      base: basename(base),
      selinux: basename(selinux),
      agent: basename(agentDir),
      updateRoot: hashText(inputs.updateRoot),
      folders,
      programs: programs.map(({ path, from }) => [path, from, components.get(sourceOf(from).owner)?.key]),
      spec: treeSpec,
      setup,
      ipePolicy,
    },
    progress,
    (dir) => configure(dir, { base, selinux, agentDir, programs, ipePolicy }, treeSpec, setup, inputs),
  );
  const facts = JSON.parse(await readFile(join(base, 'facts.json'), 'utf8')) as BaseFacts;
  return {
    root: join(tree, 'root'),
    key: basename(tree),
    kernelVersion: facts.kernelVersion,
    owners: new Map(facts.owners),
    packageDir,
    agentDir,
    unusedRules: facts.unusedRules,
  };
}

/** What is remembered beside the merged packages. */
interface BaseFacts {
  readonly kernelVersion: string;
  readonly owners: readonly (readonly [path: string, owner: string])[];
  readonly unusedRules: readonly string[];
}

async function mergePackages(
  dir: string,
  unpacked: ReadonlyMap<string, string>,
  spec: OsSpec,
  toolbox: Toolbox,
): Promise<void> {
  const scanned = await Promise.all(
    [...unpacked].map(async ([name, folder]) => [name, await scanPackage(folder)] as const),
  );
  const plan = planTree(new Map(scanned), spec);
  const root = join(dir, 'root');
  await mkdir(root);
  await applyTree(plan, root);
  const kernelVersion = await indexTree(root, toolbox);
  await keepKernelConfig(root, unpacked.get(`linux-image-${kernelVersion}`) ?? '', kernelVersion);
  const facts: BaseFacts = {
    kernelVersion,
    owners: plan.entries.map((entry) => [entry.path, entry.owner]),
    unusedRules: plan.unusedRules,
  };
  await writeFile(join(dir, 'facts.json'), JSON.stringify(facts));
  await writeFile(join(dir, 'removed.json'), JSON.stringify(plan.removed, undefined, 1));
}

async function configure(
  dir: string,
  parts: {
    base: string;
    selinux: string;
    agentDir: string;
    programs: readonly PlacedProgram[];
    ipePolicy: string;
  },
  spec: TreeSpec,
  setup: string,
  inputs: TreeInputs,
): Promise<void> {
  const root = join(dir, 'root');
  // Links, not copies: 2,500 files in a tenth of a second. Later steps replace files and never write into them.
  await run('cp', ['--archive', '--link', join(parts.base, 'root'), root]);
  await rm(join(root, 'etc/selinux'), { recursive: true, force: true });
  await makeFolder(join(root, 'etc/selinux'), 0o755);
  await cp(join(parts.selinux, 'default'), join(root, 'etc/selinux/default'), { recursive: true });
  await configureTree(root, inputs.osDir, spec, setup);
  await replaceFile(
    join(root, 'usr/lib/plinth/plinthd'),
    await readFile(join(parts.agentDir, 'plinthd')),
    0o755,
  );
  await replaceFile(join(root, TRUSTED_ROOT_PATH), inputs.updateRoot);
  await replaceFile(join(root, IPE_POLICY_PATH), parts.ipePolicy);
  await placePrograms(root, parts.programs);
  await finishTree(root, inputs.toolbox, spec);
}
