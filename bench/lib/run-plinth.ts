import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
/** Tells on descriptor 3, when the process ends, how much processor time it took, in milliseconds. */
const TELL = `
import { writeSync } from 'node:fs';
process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  writeSync(3, String((userCPUTime + systemCPUTime) / 1000));
});`;

/** What one command line came to. */
export interface PlinthRun {
  /** From its start to its end. */
  readonly ms: number;
  /** Processor time of all its threads; unlike the wall clock it hardly changes when the computer is busy. */
  readonly processorMs: number;
  readonly exitCode: number;
  readonly stdout: string;
}

/** runPlinth runs one command line of plinth in a process of its own. */
export async function runPlinth(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PlinthRun> {
  const startedMs = performance.now();
  const tell = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const child = spawn(process.execPath, ['--import', tell, MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  const exited = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  const [, stdout, , told] = child.stdio;
  if (!stdout || !told || !('read' in told)) throw new Error('the process has no output');
  const [output, processor] = await Promise.all([text(stdout), text(told)]);
  const exitCode = await exited;
  return { ms: performance.now() - startedMs, processorMs: Number(processor), exitCode, stdout: output };
}
