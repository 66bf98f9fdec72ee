import { fileURLToPath } from 'node:url';
import { run } from '@plinth/host';
import { interrupted } from './interrupted.ts';
import type { PlinthInputs } from './plinth-image.ts';

/** How long one stage of a build took. */
export interface Stage {
  readonly title: string;
  readonly ms: number;
  readonly cached: boolean;
}

export interface PlinthBuild {
  /** From the start of the process to its end. */
  readonly wallMs: number;
  readonly stages: readonly Stage[];
  readonly diskPath: string;
  /** plinthd as it is in the image. */
  readonly agentPath: string;
}

const PROGRAM = fileURLToPath(new URL('plinth-process.ts', import.meta.url));
export const REPOSITORY_OS_DIR = fileURLToPath(new URL('../../os', import.meta.url));

/** buildPlinth builds the image in a process of its own and times it from outside. */
export async function buildPlinth({ osDir, stagesDir, keysDir }: PlinthInputs): Promise<PlinthBuild> {
  const startedMs = performance.now();
  const { stdout } = await run(process.execPath, [PROGRAM, osDir, stagesDir, keysDir], {
    signal: interrupted,
  });
  const wallMs = performance.now() - startedMs;
  const built: Omit<PlinthBuild, 'wallMs'> = JSON.parse(stdout.toString());
  return { ...built, wallMs };
}
