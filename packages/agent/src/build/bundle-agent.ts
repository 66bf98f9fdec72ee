import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PlinthError, readDocument } from '@plinth/base';
import { build, type Plugin } from 'esbuild';
import type { BuildInfo } from '../build-info.ts';
import { pathTable } from '../integrity/path-table.ts';
import { type BundledModule, listModules } from './list-modules.ts';
import { RUNTIME_FLAGS, V8_FLAGS } from './runtime-flags.ts';

export interface BundleOptions {
  /** Folder that receives `plinthd` and `modules.json`; made if it does not exist. */
  readonly outDir: string;
  /** The Node executable to build into plinthd and to build with: one version for both. */
  readonly nodeBinary: string;
  /** Takes symbols out of an ELF file in place. It runs before the program is put in: afterwards it would break it. */
  readonly stripBinary: (path: string) => Promise<void>;
  /** os/paths.yaml. */
  readonly pathsFile: string;
  /** What GetVersions reports as the agent's version. */
  readonly version: string;
}

/** What lies in the bundle, for the bill of materials. */
export interface BundleModules {
  readonly runtime: {
    readonly name: 'node';
    readonly version: string;
    /** Libraries inside the runtime with their versions, as `process.versions` lists them. */
    readonly components: Readonly<Record<string, string>>;
  };
  readonly modules: readonly BundledModule[];
}

/**
 * Strings in the code cache are ordered by hashes, whose seed is drawn at random from this one. A program with another
 * seed still takes the cache; `--hash-seed` would fix the order too, but is among the flags the cache is tied to.
 */
const REPRODUCIBLE = ['--random-seed=1'];

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/**
 * bundleAgent builds plinthd, a single executable of Node and one script, and lists the modules in it. The same
 * inputs give the same bytes, wherever they lie.
 * @throws agent/bundle-failed
 */
export async function bundleAgent(options: BundleOptions): Promise<BundleModules> {
  await mkdir(options.outDir, { recursive: true });
  const work = await mkdtemp(join(options.outDir, '.bundle-'));
  try {
    const modules = await bundleScript(options, join(work, 'agent.cjs'));
    await copyFile(options.nodeBinary, join(work, 'node'));
    await chmod(join(work, 'node'), 0o755);
    await options.stripBinary(join(work, 'node'));
    await writeFile(join(work, 'sea.json'), JSON.stringify(seaConfig));
    await run(options.nodeBinary, [...V8_FLAGS, ...REPRODUCIBLE, '--build-sea', 'sea.json'], {
      cwd: work,
      env: {},
    });
    const list: BundleModules = { runtime: await runtimeOf(options.nodeBinary), modules };
    await writeFile(join(work, 'modules.json'), `${JSON.stringify(list, null, 2)}\n`);
    await chmod(join(work, 'plinthd'), 0o755);
    await rename(join(work, 'plinthd'), join(options.outDir, 'plinthd'));
    await rename(join(work, 'modules.json'), join(options.outDir, 'modules.json'));
    return list;
  } catch (reason) {
    throw PlinthError.from(reason, 'agent/bundle-failed', 'Cannot build plinthd');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Names are relative to the working folder: the executable records the script's name, and it must not tell where. */
const seaConfig = {
  main: 'agent.cjs',
  output: 'plinthd',
  executable: 'node',
  disableExperimentalSEAWarning: true,
  useCodeCache: true,
  // Without it NODE_OPTIONS and --node-options would reach the runtime.
  execArgvExtension: 'none',
  execArgv: RUNTIME_FLAGS,
};

/**
 * zod brings the messages of fifty languages as one namespace, which a bundler has to keep whole. plinthd speaks one, and
 * would hold the others in memory for as long as it runs.
 */
const oneLanguage: Plugin = {
  name: 'one-language',
  setup: (building) => {
    building.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export {};',
    }));
  },
};

async function bundleScript(options: BundleOptions, outFile: string): Promise<readonly BundledModule[]> {
  const info = await buildInfo(options);
  const result = await build({
    entryPoints: [MAIN],
    outfile: outFile,
    absWorkingDir: REPOSITORY,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node26',
    minify: true,
    legalComments: 'none',
    metafile: true,
    plugins: [oneLanguage],
    logLevel: 'silent',
    define: { PLINTH_BUILD_INFO: JSON.stringify(info) },
  });
  return listModules(Object.keys(result.metafile.inputs), REPOSITORY);
}

async function buildInfo({ pathsFile, version }: BundleOptions): Promise<BuildInfo> {
  const text = await readFile(pathsFile, 'utf8');
  const table = readDocument(text, 'paths.yaml', pathTable, 'agent/bundle-failed');
  if (table.ok) return { version, pathTable: table.value };
  throw new PlinthError('agent/bundle-failed', table.diagnostics[0]?.message ?? 'Cannot read paths.yaml', {
    diagnostics: table.diagnostics,
    hint: 'Correct os/paths.yaml.',
  });
}

async function runtimeOf(nodeBinary: string): Promise<BundleModules['runtime']> {
  const { stdout } = await run(nodeBinary, ['--print', 'JSON.stringify(process.versions)'], { env: {} });
  const { node, ...components }: Record<string, string> = JSON.parse(stdout);
  return { name: 'node', version: node ?? '', components };
}
