import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { RUNTIME_FLAGS } from '../../build/runtime-flags.ts';
import type { StageOrder, StageReport } from './stage-process.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('stage-process.ts', import.meta.url));
const LIMIT_MS = 300_000;

/** bundleStageProcess makes the program as plinthd's is made. @returns its path */
export async function bundleStageProcess(folder: string): Promise<string> {
  const outfile = join(folder, 'stage-process.cjs');
  await build({
    ...{ entryPoints: [MAIN], outfile, bundle: true, platform: 'node', format: 'cjs', target: 'node26' },
    ...{ minify: true, legalComments: 'none', logLevel: 'silent' },
  });
  return outfile;
}

/**
 * runStageProcess stages with the flags of plinthd; besides what plinthd may write, only the order's own files may be.
 * @param killAfterMs undefined: not at all
 * @returns undefined when it was killed
 */
export async function runStageProcess(
  program: string,
  folder: string,
  order: StageOrder,
  killAfterMs?: number,
): Promise<StageReport | undefined> {
  const orderPath = join(folder, 'order.json');
  await writeFile(orderPath, JSON.stringify(order));
  const own = [
    order.diskPath,
    order.espFolder,
    `${order.espFolder}/*`,
    order.stateFolder,
    `${order.stateFolder}/*`,
  ];
  const flags = [...RUNTIME_FLAGS, ...own.map((path) => `--allow-fs-write=${path}`)];
  try {
    const { stdout } = await run(process.execPath, [...flags, program, orderPath], {
      env: { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' },
      timeout: killAfterMs ?? LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    return JSON.parse(stdout);
  } catch (reason) {
    const wasKilled = reason instanceof Error && 'killed' in reason && reason.killed === true;
    if (wasKilled && killAfterMs !== undefined) return undefined;
    throw reason;
  }
}
