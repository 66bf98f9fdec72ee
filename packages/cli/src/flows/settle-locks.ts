import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import {
  findMirrors,
  type Lock,
  type LockDiff,
  readLock,
  readPackageSet,
  requireFreshLock,
  updateLock,
} from '@plinth/debian';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';
import { type LockName, lockNames, lockTitles, osDir } from './use-lock.ts';

export interface SettleOptions {
  readonly update: boolean;
  readonly frozen: boolean;
  readonly mirror?: string | undefined;
  readonly securityMirror?: string | undefined;
}

export interface LockChange {
  readonly lock: string;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly from?: string;
  readonly to?: string;
  readonly why: string;
}

export interface LockOutcome {
  readonly name: string;
  readonly path: string;
  readonly action: 'kept' | 'made' | 'updated';
  readonly packageCount: number;
  readonly changes: readonly LockChange[];
}

/**
 * settleLocks brings every lock in line with its package list, or with today's mirror.
 * @throws debian/lock-missing, debian/lock-stale when frozen; debian/…, host/download-failed
 */
export async function settleLocks(options: SettleOptions, context: CommandContext): Promise<LockOutcome[]> {
  if (options.update && options.frozen) throw usageError('--update and --frozen exclude each other');
  const outcomes: LockOutcome[] = [];
  for (const name of lockNames) outcomes.push(await settleLock(name, options, context));
  return outcomes;
}

async function settleLock(
  name: LockName,
  options: SettleOptions,
  context: CommandContext,
): Promise<LockOutcome> {
  const path = join(osDir, `${name}.lock.json`);
  const set = await readPackageSet(join(osDir, `${name}.yaml`));
  const current = await readFitting(path, (lock) => requireFreshLock(lock, set, path), options.frozen);
  if (current && !options.update) {
    return { name, path, action: 'kept', packageCount: current.packages.length, changes: [] };
  }
  const { lock, diff } = await context.progress.step(
    `Choose the packages of the ${lockTitles[name]}`,
    async (step) => {
      const { mirror, securityMirror } = options;
      const mirrors = await findMirrors({
        flags: { ...(mirror && { mirror }), ...(securityMirror && { securityMirror }) },
        env: context.env,
      });
      return updateLock(set, path, { label: name, mirrors, progress: step, signal: context.signal });
    },
  );
  const action = current ? 'updated' : 'made';
  return { name, path, action, packageCount: lock.packages.length, changes: listChanges(name, diff) };
}

/** The lock when it can be used as it is; undefined when it is to be made, which --frozen forbids. */
async function readFitting(
  path: string,
  check: (lock: Lock) => void,
  frozen: boolean,
): Promise<Lock | undefined> {
  try {
    const lock = await readLock(path);
    check(lock);
    return lock;
  } catch (reason) {
    const mendable = reason instanceof PlinthError && reason.code.startsWith('debian/lock-');
    if (!mendable || frozen) throw reason;
    return undefined;
  }
}

/** listChanges puts a difference of locks into rows, sorted by package. */
function listChanges(lock: string, diff: LockDiff): LockChange[] {
  const rows: LockChange[] = [
    ...diff.added.map(({ name, version, why }) => ({
      lock,
      name,
      change: 'added' as const,
      to: version,
      why,
    })),
    ...diff.removed.map(({ name, version, why }) => ({
      lock,
      name,
      change: 'removed' as const,
      from: version,
      why,
    })),
    ...diff.changed.map(({ from, to }) => ({
      lock,
      name: to.name,
      change: 'changed' as const,
      from: from.version,
      to: to.version,
      why: to.why,
    })),
  ];
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}
