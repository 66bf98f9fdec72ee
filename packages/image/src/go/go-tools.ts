import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import { type LockedPackage, type Mirrors, readLock } from '@plinth/debian';
import { hashText } from '@plinth/host';
import { openToolbox, type Toolbox } from '@plinth/toolbox';

/** The toolbox that compiles Go. */
export interface GoTools {
  readonly toolbox: Toolbox;
  /** The go command inside the toolbox. */
  readonly program: string;
  /**
   * Identifies the compiler and the standard library, and nothing else of the toolbox: a security update of a tool that
   * merely starts the compiler must not compile Kubernetes again.
   */
  readonly key: string;
}

export interface OpenGoToolsOptions {
  /** Folder of go-tools.yaml and its lock. */
  readonly lockDir: string;
  readonly mirrors?: Mirrors;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NAME = 'go-tools';
const TOOLCHAIN = /^golang-(\d+\.\d+)-(?:go|src)$/;

/**
 * openGoTools opens the toolbox of os/go-tools.yaml, which must hold one Go toolchain.
 * @throws toolbox/…, debian/…, host/download-failed
 */
export async function openGoTools(options: OpenGoToolsOptions): Promise<GoTools> {
  const toolchain = await readToolchain(options.lockDir);
  const version = toolchain.map(({ name }) => TOOLCHAIN.exec(name)?.[1])[0];
  return {
    toolbox: await openToolbox({ name: NAME, ...options }),
    program: `/usr/lib/go-${version}/bin/go`,
    key: keyOf(toolchain),
  };
}

/** readGoToolchainKey gives the key that openGoTools would, without making the toolbox. @throws debian/lock-missing */
export async function readGoToolchainKey(lockDir: string): Promise<string> {
  return keyOf(await readToolchain(lockDir));
}

async function readToolchain(lockDir: string): Promise<LockedPackage[]> {
  const { packages } = await readLock(join(lockDir, `${NAME}.lock.json`));
  return packages.filter(({ name }) => TOOLCHAIN.test(name));
}

function keyOf(toolchain: readonly LockedPackage[]): string {
  return hashText(toolchain.map(({ sha256 }) => sha256).join('\n'));
}
