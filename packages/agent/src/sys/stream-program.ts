import { spawn } from 'node:child_process';
import { ProgramFailure } from './sys.ts';

const STDERR_LIMIT_CHARS = 4096;

/** streamProgram is Sys.stream on the machine itself. */
export async function* streamProgram(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  if (signal.aborted) return;
  const child = spawn(program, [...args], {
    cwd: '/',
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < STDERR_LIMIT_CHARS) stderr += text.slice(0, STDERR_LIMIT_CHARS);
  });
  let ended = false;
  const end = new Promise<{ code: number | null; error?: Error }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, error }));
    child.once('close', (code) => resolve({ code }));
    child.once('exit', () => {
      ended = true;
    });
  });
  // Its output is cut off too: whoever waits for the next piece must not wait for a program that is gone.
  const stop = () => {
    child.kill('SIGKILL');
    child.stdout.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    // Read in pieces as the pipe has them; the loop ends the stream when its reader stops.
    for await (const piece of child.stdout) yield piece as Buffer;
    const { code, error } = await end;
    if (signal.aborted) return;
    if (error) throw error;
    if (code !== 0) throw new ProgramFailure(program, code ?? 1, stderr);
  } catch (reason) {
    if (!signal.aborted) throw reason;
  } finally {
    signal.removeEventListener('abort', stop);
    if (!ended) stop();
  }
}
