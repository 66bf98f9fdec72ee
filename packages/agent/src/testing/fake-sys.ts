import {
  type FileStatus,
  type FileSystemUsage,
  ProgramFailure,
  type ProgramResult,
  type Sys,
} from '../sys/sys.ts';

/** What a fake machine is made of. */
export interface FakeMachine {
  /** Content by path. Folders exist as far as files lie in them. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Where symbolic links lead, by path. */
  readonly links?: Readonly<Record<string, string>>;
  /** Paths whose reading fails, with the code of the system error. */
  readonly broken?: Readonly<Record<string, string>>;
  /** Answers by "program arg arg"; text is a standard output with exit code 0. Others fail with ENOENT. */
  readonly programs?: Readonly<Record<string, string | ProgramResult>>;
  readonly usage?: Partial<FileSystemUsage>;
  readonly modifiedAtMs?: Readonly<Record<string, number>>;
  /** Files and folders are 0600 and 0700 of root unless it says otherwise here. */
  readonly statuses?: Readonly<Record<string, Partial<FileStatus>>>;
  readonly addresses?: readonly string[];
  readonly hostName?: string;
  readonly nowMs?: number;
}

/** systemError is what Node throws for a failed system call. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** fakeSys is a machine made of recorded files and program outputs; it behaves as nodeSys does. */
export function fakeSys(machine: FakeMachine): Sys {
  const files = new Map(Object.entries(machine.files ?? {}));
  const broken = new Map(Object.entries(machine.broken ?? {}));
  const programs = new Map(Object.entries(machine.programs ?? {}));
  const refuseBroken = (path: string) => {
    const code = broken.get(path);
    if (code) throw systemError(code, path);
  };
  const content = (path: string): Buffer => {
    refuseBroken(path);
    const bytes = files.get(path);
    if (bytes === undefined) throw systemError('ENOENT', path);
    return Buffer.from(bytes);
  };
  const run = async (program: string, args: readonly string[]): Promise<ProgramResult> => {
    const answer = programs.get([program, ...args].join(' '));
    if (answer === undefined) throw systemError('ENOENT', program);
    return typeof answer === 'string' ? { exitCode: 0, stdout: answer, stderr: '' } : answer;
  };
  return {
    async readFile(path, limitBytes) {
      return content(path).subarray(0, limitBytes);
    },
    async readRange(path, offset, lengthBytes) {
      return content(path).subarray(offset, offset + lengthBytes);
    },
    readAtOnce: (path) => content(path).toString('utf8'),
    async *readLines(path) {
      yield linesOf(content(path).toString('utf8'));
    },
    async readLink(path) {
      refuseBroken(path);
      const target = machine.links?.[path];
      if (target === undefined) throw systemError('ENOENT', path);
      return target;
    },
    async readDir(path) {
      refuseBroken(path);
      const below = [...files.keys(), ...Object.keys(machine.links ?? {})].filter((file) =>
        file.startsWith(`${path}/`),
      );
      if (below.length === 0) throw systemError('ENOENT', path);
      const names = below.map((file) => file.slice(path.length + 1).split('/')[0] ?? '');
      return [...new Set(names)].sort();
    },
    run,
    async *stream(program, args) {
      const { exitCode, stdout, stderr } = await this.run(program, args);
      if (stdout !== '') yield Buffer.from(stdout);
      if (exitCode !== 0) throw new ProgramFailure(program, exitCode, stderr);
    },
    usage: async () => ({
      sizeBytes: 1000,
      freeBytes: 500,
      availableBytes: 500,
      inodes: 1000,
      availableInodes: 500,
      ...machine.usage,
    }),
    async modifiedAtMs(path) {
      const time = machine.modifiedAtMs?.[path];
      if (time === undefined) throw systemError('ENOENT', path);
      return time;
    },
    async status(path) {
      refuseBroken(path);
      const isFolder = [...files.keys()].some((file) => file.startsWith(`${path}/`));
      const given = machine.statuses?.[path];
      if (!files.has(path) && !isFolder && !given) throw systemError('ENOENT', path);
      const usual = isFolder
        ? ({ kind: 'folder', mode: 0o700 } as const)
        : ({ kind: 'file', mode: 0o600 } as const);
      return { ...usual, uid: 0, gid: 0, inode: 1, ...given };
    },
    addresses: () => machine.addresses ?? [],
    hostName: () => machine.hostName ?? 'fake',
    nowMs: () => machine.nowMs ?? Date.UTC(2026, 10, 21),
  };
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
