import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { PlinthError } from '@plinth/base';

export interface RunOptions {
  /** What messages call the program; default: the program as given. */
  readonly label?: string;
  readonly cwd?: string;
  /** The whole environment of the child; default: this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Exit codes that are not failures; default [0]. */
  readonly okCodes?: readonly number[];
  /** Called with each whole line of standard error while the program runs. */
  readonly onStderrLine?: (line: string) => void;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Bound on what is kept of a child's output, so that no program can fill our memory. */
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024;

/**
 * run starts a program with an argument array (never a shell string) and waits for its end.
 * @throws host/command-missing, host/command-failed, host/command-timeout, cli/interrupted
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const label = options.label ?? program;
  if (options.signal?.aborted) throw interrupted(label);
  const child = spawn(program, [...args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let timedOut = false;
  const stop = () => child.kill('SIGKILL');
  const expire = () => {
    timedOut = true;
    stop();
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(expire, options.timeoutMs);
  try {
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
    });
    // A child that ends before it read its input closes the pipe; its exit code tells the story.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const [exitCode, stdout, stderr] = await Promise.all([
      ended,
      collect(child.stdout),
      collect(child.stderr, options.onStderrLine),
    ]);
    if (options.signal?.aborted) throw interrupted(label);
    if (timedOut) {
      throw new PlinthError(
        'host/command-timeout',
        `Cannot run ${label}: still running after ${options.timeoutMs} ms`,
      );
    }
    const result = { exitCode, stdout, stderr: stderr.toString('utf8') };
    if (!(options.okCodes ?? [0]).includes(exitCode)) throw commandFailed(label, result);
    return result;
  } catch (reason) {
    if (isErrno(reason, 'ENOENT') && reason.syscall?.startsWith('spawn')) {
      throw new PlinthError('host/command-missing', `Cannot run ${label}: not found on this machine`, {
        cause: reason,
      });
    }
    throw PlinthError.from(reason, 'host/command-failed', `Cannot run ${label}`);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
  }
}

/** Narrows an unknown thrown value to a system error with that code. */
export function isErrno(reason: unknown, code: string): reason is NodeJS.ErrnoException {
  return reason instanceof Error && (reason as NodeJS.ErrnoException).code === code;
}

function commandFailed(program: string, result: RunResult): PlinthError {
  const tail = (result.stderr.trim() || result.stdout.toString('utf8').trim())
    .split('\n')
    .slice(-12)
    .join('\n  ');
  const full = /No space left on device/.test(tail);
  return new PlinthError(
    full ? 'host/disk-full' : 'host/command-failed',
    `Cannot run ${program}: ended with exit code ${result.exitCode}, expected 0\n  ${tail}`,
    { details: { program, exitCode: result.exitCode } },
  );
}

function interrupted(program: string): PlinthError {
  return new PlinthError('cli/interrupted', `Cannot finish ${program}: interrupted`);
}

async function collect(stream: Readable, onLine?: (line: string) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let partial = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes <= OUTPUT_LIMIT_BYTES) chunks.push(chunk);
    if (onLine) {
      const lines = (partial + chunk.toString('utf8')).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    }
  }
  if (onLine && partial) onLine(partial);
  return Buffer.concat(chunks);
}
