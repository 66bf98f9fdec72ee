import { randomBytes } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import { cacheDir } from './directories.ts';
import { exists, hashText, ioError, removeTree, writeFileAtomic } from './files.ts';
import { isErrno } from './process.ts';
import { brokenSeal, sealOf } from './stage-seal.ts';

/** Everything a stage's output depends on, as JSON-serialisable data. The order of keys does not matter. */
export type StageInputs = Readonly<Record<string, unknown>>;

/**
 * A folder of finished results: `<root>/<name>-<key>/`, by the hash of their inputs. Half-made ones are never visible, and one that
 * was changed since it was made (`<name>-<key>.seal` tells) is made again.
 */
export interface StageCache {
  readonly root: string;
  /**
   * Returns the folder of the stage with these inputs; makes it with `build(dir)` when it is not there.
   * Whatever `build` leaves in `dir` is the result. When it throws, nothing remains.
   */
  stage(
    name: string,
    title: string,
    inputs: StageInputs,
    progress: Progress,
    build: (dir: string, step: Progress) => Promise<void>,
  ): Promise<string>;
}

/** openStageCache opens (and makes) the cache below `root`, by default the user's cache directory. */
export function openStageCache(root: string = join(cacheDir(), 'stages')): StageCache {
  return {
    root,
    stage: (name, title, inputs, progress, build) =>
      progress.step(title, async (step) => {
        const target = join(root, `${name}-${stageKey(name, inputs)}`);
        const seal = `${target}.seal`;
        const work = join(root, `.work-${name}-${randomBytes(6).toString('hex')}`);
        try {
          if (await exists(target)) {
            const broken = await brokenSeal(target, seal);
            if (broken === undefined) {
              step.cached('nothing it depends on has changed');
              return target;
            }
            step.warn(`The kept result ${target} is made again: ${broken}`);
            await rename(target, work).catch((reason) => {
              // Another process found the same, and was first.
              if (!isErrno(reason, 'ENOENT')) throw reason;
            });
            await removeTree(work);
          }
          await mkdir(work, { recursive: true });
          await build(work, step);
          // Before the result is visible; that of another process that makes the same is equal by construction.
          await writeFileAtomic(seal, await sealOf(work));
          await rename(work, target).catch(async (reason) => {
            // Another process finished the same stage first; its result is equal by construction.
            if (!(await exists(target))) throw reason;
          });
        } catch (reason) {
          throw ioError(reason, title.charAt(0).toLowerCase() + title.slice(1));
        } finally {
          await removeTree(work);
        }
        return target;
      }),
  };
}

/** stageKey is the hash of a stage's name and inputs, with object keys sorted at every depth. */
export function stageKey(name: string, inputs: StageInputs): string {
  return hashText(`${name}\n${JSON.stringify(inputs, sortKeys)}`).slice(0, 32);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
