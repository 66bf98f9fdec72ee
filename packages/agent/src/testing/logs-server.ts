import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { RUNTIME_FLAGS } from '../build/runtime-flags.ts';

/** plinthd's LogsService in a process of its own, with the flags of the real one. */
export interface LogsServer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly fingerprint: string;
}

export interface LogsServerOptions {
  /** The program that stands for journalctl, and its arguments around those of plinthd. */
  readonly program: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Whose clients may call. */
  readonly authorityPem: string;
}

/** startLogsServer bundles the server as plinthd is bundled, for the runtime without just-in-time code, and starts it. */
export async function startLogsServer(options: LogsServerOptions): Promise<LogsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-logs-server-'));
  const script = join(folder, 'server.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./serve-logs.ts', import.meta.url))],
    outfile: script,
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node26', minify: true, logLevel: 'silent' },
  });
  const child = spawn(process.execPath, [...RUNTIME_FLAGS, script], {
    env: { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stdin.end(JSON.stringify(options));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('close', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const { port, fingerprint } = JSON.parse(line) as { port: number; fingerprint: string };
  return {
    ...{ pid: child.pid ?? 0, port, fingerprint },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
