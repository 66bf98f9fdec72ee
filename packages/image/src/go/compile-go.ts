import { mkdir } from 'node:fs/promises';
import { PlinthError, type Progress } from '@plinth/base';
import { describeSeconds, estimateSeconds, remainingSeconds } from './estimate.ts';
import { type GoCache, withScratch } from './go-cache.ts';
import { buildFlags, goCompileRun } from './go-command.ts';
import type { GoComponent } from './go-component.ts';
import type { GoTools } from './go-tools.ts';

export interface CompileOptions {
  readonly tools: GoTools;
  readonly cache: GoCache;
  /** Processors to use. */
  readonly jobs: number;
  /** How many packages there are, for the progress shown. */
  readonly packageCount: number;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  /** Where the source appears inside the toolbox; only the proof that this does not matter sets it. */
  readonly source?: string;
}

/** With -v the go command says each package it compiles, and nothing for those it had. */
const PACKAGE_LINE = /^[\w.~/-]+$/;

/**
 * compileGo compiles a component without network, at the lowest priority: a build of minutes must not make the machine
 * unusable.
 * @param output folder that receives the programs
 * @throws go/compile-failed, host/disk-full
 */
export async function compileGo(
  component: GoComponent,
  output: string,
  options: CompileOptions,
): Promise<void> {
  const { tools, cache, jobs, source, signal } = options;
  // With tests, -v is not about the compiler; and what others wrote is not for us to judge.
  const verb = component.isTests ? ['test', '-c', '-vet=off'] : ['build', '-v'];
  const build = [...verb, `-p=${jobs}`, ...buildFlags(component), '-o=/out/', ...component.packages];
  await mkdir(output, { recursive: true });
  await withScratch(cache, async (scratch) => {
    const { binds, env, ...run } = goCompileRun(component, cache, { scratch, source });
    try {
      await tools.toolbox.run('nice', ['-n', '19', tools.program, ...build], {
        ...run,
        label: `go build of ${component.name}`,
        env: { ...env, GOMAXPROCS: String(jobs) },
        binds: [...binds, { host: output, inside: '/out' }],
        signal,
        onStderrLine: followProgress(component, options),
      });
    } catch (reason) {
      if (!(reason instanceof PlinthError) || reason.code !== 'host/command-failed') throw reason;
      const said = reason.message.split('\n').slice(1).join('\n');
      throw new PlinthError('go/compile-failed', `Cannot compile ${component.name}:\n${said}`, {
        cause: reason,
      });
    }
  });
}

/** Notes how far the compiler is and how long it will still take, at each line it prints. */
function followProgress(
  component: GoComponent,
  { jobs, packageCount, progress }: CompileOptions,
): (line: string) => void {
  const estimate = estimateSeconds(component.cpuSeconds, jobs);
  const startedAt = performance.now();
  let compiled = 0;
  return (line) => {
    if (!PACKAGE_LINE.test(line)) return;
    compiled += 1;
    const elapsedSeconds = (performance.now() - startedAt) / 1000;
    const left = remainingSeconds(estimate, compiled / Math.max(1, packageCount), elapsedSeconds);
    progress.note(`${compiled}/${packageCount} packages, about ${describeSeconds(left)} left`);
  };
}
