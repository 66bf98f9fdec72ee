import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import {
  fetchPackages,
  findMirrors,
  type Lock,
  type Mirrors,
  type PackageStore,
  readLock,
  readPackageSet,
  requireFreshLock,
} from '@plinth/debian';
import {
  cacheDir,
  exists,
  ioError,
  type RunOptions,
  type RunResult,
  removeTree,
  run,
  stageKey,
  withLock,
} from '@plinth/host';
import { BUILD_STEPS_VERSION, buildRoot } from './build-root.ts';
import { findIsolation } from './isolation.ts';
import { type Isolation, type SandboxCommand, type SandboxOptions, sandboxCommand } from './sandbox.ts';

export interface OpenToolboxOptions {
  /** Which set of tools: the name of its lock file in os/; default "toolbox". */
  readonly name?: string;
  /** Default: what findMirrors finds, asked only when something must be fetched. */
  readonly mirrors?: Mirrors;
  readonly store?: PackageStore | undefined;
  /** Folder of toolboxes; default `toolbox` in the user's cache directory. */
  readonly cacheRoot?: string;
  /** Folder of the lock files; default os/. */
  readonly lockDir?: string;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of one run: those of the sandbox, and those of any program except where it is and what it inherits. */
export type ToolOptions = SandboxOptions & Omit<RunOptions, 'cwd' | 'env'>;

/** A read-only root of pinned tools. Every run sees the same files, environment and umask, whatever the machine has. */
export interface Toolbox {
  /** The root on the host, to read files from (firmware, boot loader, policy). Never write to it. */
  readonly root: string;
  /** Identifies the tools: part of the key of whatever is built with them. */
  readonly key: string;
  readonly isolation: Isolation;
  /**
   * Runs a tool to its end; it and everything it started ends with this process.
   * @throws host/command-failed, host/command-timeout, toolbox/tool-missing, cli/interrupted
   */
  run(program: string, args: readonly string[], options?: ToolOptions): Promise<RunResult>;
  /**
   * The command of a tool that the caller starts itself and that may outlive this process (QEMU, swtpm). Ending the
   * started process ends the tool; a process id that the tool writes to a file is valid on the host.
   */
  command(program: string, args: readonly string[], options?: SandboxOptions): SandboxCommand;
}

/** What the shell that sets the umask says when it finds no such program. */
const NOT_FOUND = /^\s*toolbox: \d+: exec: .*: not found$/m;

const LOCK_DIR = fileURLToPath(new URL('../../../os/', import.meta.url));

/**
 * openToolbox opens the toolbox that the lock file names; makes it first when this machine does not have it yet.
 * Two processes that need the same one make it once. As root or, where the kernel allows it, without.
 * @throws toolbox/no-isolation, toolbox/build-failed, debian/lock-missing, debian/lock-stale,
 *   debian/package-gone, host/download-failed
 */
export async function openToolbox(options: OpenToolboxOptions = {}): Promise<Toolbox> {
  const { name = 'toolbox', lockDir = LOCK_DIR, signal } = options;
  const lockPath = join(lockDir, `${name}.lock.json`);
  const lock = await readLock(lockPath);
  requireFreshLock(lock, await readPackageSet(join(lockDir, `${name}.yaml`)), lockPath);
  const key = stageKey(name, {
    steps: BUILD_STEPS_VERSION,
    packages: lock.packages.map(({ sha256 }) => sha256),
  });
  const root = join(options.cacheRoot ?? join(cacheDir(), 'toolbox'), `${name}-${key}`);
  if (!(await exists(root))) await makeOnce(root, name, lock, options);
  const isolation = await findIsolation(root, signal);
  return {
    root,
    key,
    isolation,
    command: (program, args, sandbox) =>
      sandboxCommand({ root, isolation }, 'detached', program, args, sandbox),
    run: (program, args, tool) => runTool({ root, isolation }, program, args, tool),
  };
}

/** Makes the root; when another process is at it, waits for that one instead. */
async function makeOnce(root: string, name: string, lock: Lock, options: OpenToolboxOptions): Promise<void> {
  const { progress = silentProgress, store, signal } = options;
  await progress.step(`Make the ${name} (${lock.packages.length} packages)`, (step) => {
    const make = async () => {
      if (await exists(root)) return;
      const mirrors = options.mirrors ?? (await findMirrors());
      const debs = await fetchPackages(lock.packages, { mirrors, store, signal, progress: step });
      const work = `${root}.work`;
      try {
        // What a killed process left behind; nobody else works on it while we hold the lock.
        await removeTree(work);
        await mkdir(work, { recursive: true });
        await buildRoot(work, debs.values(), step, signal);
        await rename(work, root);
      } catch (reason) {
        throw ioError(reason, `make the ${name}`);
      } finally {
        await removeTree(work);
      }
    };
    const onWait = (pid: number) => step.note(`waiting for process ${pid}, which is making it`);
    return withLock(`${root}.lock`, `make the ${name}`, make, { signal, onWait });
  });
}

async function runTool(
  sandbox: { readonly root: string; readonly isolation: Isolation },
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<RunResult> {
  const command = sandboxCommand(sandbox, 'run', program, args, options);
  try {
    return await run(command.program, command.args, {
      label: program,
      ...options,
      cwd: '/',
      env: command.env,
    });
  } catch (reason) {
    if (reason instanceof PlinthError && NOT_FOUND.test(reason.message)) {
      throw new PlinthError('toolbox/tool-missing', `Cannot run ${program}: it is not in the toolbox`, {
        cause: reason,
      });
    }
    throw reason;
  }
}
