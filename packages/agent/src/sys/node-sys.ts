import { spawn } from 'node:child_process';
import { readdir, readlink, stat, statfs } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import type { Readable } from 'node:stream';
import { READ_LIMIT_BYTES, readAtOnce, readBounded, readFileLines, readRange } from './read-file.ts';
import { streamProgram } from './stream-program.ts';
import type { FileStatus, FileSystemUsage, ProgramResult, RunOptions, Sys } from './sys.ts';

const RUN_LIMIT_MS = 10_000;

/** nodeSys is the machine itself. */
export function nodeSys(): Sys {
  return {
    readFile: readBounded,
    readRange,
    readAtOnce,
    readLines: readFileLines,
    readLink: (path) => readlink(path),
    readDir: async (path) => (await readdir(path)).sort(),
    run: (program, args, options) => runProgram(program, args, {}, options),
    stream: streamProgram,
    usage: async (path) => usageOf(await statfs(path)),
    modifiedAtMs: async (path) => (await stat(path)).mtimeMs,
    status,
    addresses: globalAddresses,
    hostName: hostname,
    nowMs: Date.now,
  };
}

/** What is used of statfs(2). */
type FileSystemStatus = Readonly<Record<'bsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree', number>>;

/** usageOf reads statfs(2). A file system that makes inodes on demand, or has no bound on them, counts none or 2^64 - 1 (EROFS). */
export function usageOf({ bsize, blocks, bfree, bavail, files, ffree }: FileSystemStatus): FileSystemUsage {
  const counted = files <= Number.MAX_SAFE_INTEGER;
  return {
    sizeBytes: bsize * blocks,
    freeBytes: bsize * bfree,
    availableBytes: bsize * bavail,
    inodes: counted ? files : 0,
    availableInodes: counted ? ffree : 0,
  };
}

async function status(path: string): Promise<FileStatus> {
  const found = await stat(path);
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  return { kind, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid, inode: found.ino };
}

/**
 * runProgram starts a program by its absolute path with fixed arguments, waits for its end and kills it after
 * its time. The environment of plinthd is not passed on; `env` is the child's whole environment.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { timeoutMs = RUN_LIMIT_MS }: RunOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      cwd: '/',
      env: { LC_ALL: 'C', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal !== null) reject(new Error(`${program} was ended by ${signal}`));
      else resolve({ exitCode: code ?? 1, stdout: stdout(), stderr: stderr() });
    });
  });
}

function collect(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (sizeBytes < READ_LIMIT_BYTES) chunks.push(chunk);
    sizeBytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function globalAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    .map(({ address }) => address);
}
