/** What a child program answered. Output is cut at a bound; see node-sys.ts. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly timeoutMs?: number;
}

/** Space of a file system. */
export interface FileSystemUsage {
  readonly sizeBytes: number;
  /** Not in use; some of it may be kept for the administrator. */
  readonly freeBytes: number;
  /** What programs can still write. */
  readonly availableBytes: number;
  readonly inodes: number;
  readonly availableInodes: number;
}

/** What a file is, as stat(2) tells of the file that a link leads to. */
export interface FileStatus {
  readonly kind: 'file' | 'folder' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Number of the file in its file system; of a control group it is the id the kernel knows it by. */
  readonly inode: number;
}

/**
 * Sys is all that plinthd sees of the machine it runs on. Everything else is a pure function of what it gives,
 * so that tests run the same code on recorded files. Failures are system errors with their `code`.
 */
export interface Sys {
  /** The whole content of a file, cut at `limitBytes`, by default 1 MiB. */
  readFile(path: string, limitBytes?: number): Promise<Buffer>;
  /** Bytes of a file or of a drive from a place on, at most 1 MiB; fewer at the end. */
  readRange(path: string, offset: number, lengthBytes: number): Promise<Buffer>;
  /** The first 16 KiB of a file of /proc or /sys that the kernel makes from memory, at once; nothing else is done meanwhile. */
  readAtOnce(path: string): string;
  /** The lines of a file of any size, some at a time. */
  readLines(path: string): AsyncIterable<readonly string[]>;
  /** Where a symbolic link leads, as it is written there. */
  readLink(path: string): Promise<string>;
  /** Names in a folder, sorted. */
  readDir(path: string): Promise<readonly string[]>;
  /** Runs a program given by its absolute path, without a shell and with an empty environment; killed after `timeoutMs`, by default 10 s. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProgramResult>;
  /**
   * Runs a program as `run` does, without a limit of time, and gives its standard output as it comes: the program waits
   * while nobody reads. It is killed when `signal` aborts, and then the output ends, or when the reader stops.
   * @throws ProgramFailure when it ends with another exit code than 0
   */
  stream(program: string, args: readonly string[], signal: AbortSignal): AsyncIterable<Buffer>;
  usage(path: string): Promise<FileSystemUsage>;
  modifiedAtMs(path: string): Promise<number>;
  status(path: string): Promise<FileStatus>;
  /** Addresses of the machine, without loopback and link-local ones. */
  addresses(): readonly string[];
  hostName(): string;
  nowMs(): number;
}

/** A program whose output was read ended badly. */
export class ProgramFailure extends Error {
  readonly exitCode: number;
  /** The beginning of what it wrote to its standard error. */
  readonly stderr: string;

  constructor(program: string, exitCode: number, stderr: string) {
    super(`${program} ended with ${exitCode}`);
    this.name = 'ProgramFailure';
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** Whether a thrown value says that the path does not exist. */
export function isMissing(reason: unknown): boolean {
  return hasCode(reason, 'ENOENT') || hasCode(reason, 'ENOTDIR');
}

/** Whether a thrown value is a system error with that code. */
export function hasCode(reason: unknown, code: string): boolean {
  return errorCode(reason) === code;
}

/** The code of a system error, "" for anything else. */
export function errorCode(reason: unknown): string {
  return reason instanceof Error && 'code' in reason && typeof reason.code === 'string' ? reason.code : '';
}

/** readText gives a file as text without the trailing newline, undefined when it does not exist. */
export async function readText(sys: Pick<Sys, 'readFile'>, path: string): Promise<string | undefined> {
  const bytes = await readBytes(sys, path);
  return bytes?.toString('utf8').replace(/\n$/, '');
}

/** readBytes gives a file, undefined when it does not exist. */
export async function readBytes(sys: Pick<Sys, 'readFile'>, path: string): Promise<Buffer | undefined> {
  try {
    return await sys.readFile(path);
  } catch (reason) {
    if (isMissing(reason)) return undefined;
    throw reason;
  }
}

/** listDir gives the names in a folder, none when it does not exist. */
export async function listDir(sys: Pick<Sys, 'readDir'>, path: string): Promise<readonly string[]> {
  try {
    return await sys.readDir(path);
  } catch (reason) {
    if (isMissing(reason)) return [];
    throw reason;
  }
}
