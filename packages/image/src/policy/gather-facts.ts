import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { readElf } from '@plinth/formats';
import { ioError, mapParallel } from '@plinth/host';
import type { BuiltTree, TreeEntry } from '../types.ts';
import type { FileFacts, TreeFacts } from './facts.ts';
import { findTexts } from './find-texts.ts';
import type { Policy } from './policy.ts';
import { forbiddenTexts } from './rules/forbidden-programs.ts';

export interface GatherOptions {
  readonly packages: readonly string[];
  /** Reads file capabilities below a folder; getcap(8) of the toolbox in a real build. */
  readonly readCapabilities: (rootDir: string) => Promise<ReadonlyMap<string, string>>;
}

const PARALLEL_FILES = 4;
/** Enough for the ELF magic and for any "#!" line (BINPRM_BUF_SIZE of the kernel). */
const HEAD_BYTES = 256;
/** Nothing in a tree comes near; a larger program would not fit the root partition. */
const PROGRAM_LIMIT_BYTES = 512 * 2 ** 20;

/**
 * gatherFacts reads what the policy rules need from the files of a tree: each program once, of the rest the head.
 * @throws host/io
 */
export async function gatherFacts(
  tree: BuiltTree,
  policy: Policy,
  options: GatherOptions,
): Promise<TreeFacts> {
  const texts = forbiddenTexts(policy.forbidden);
  const regular = tree.entries.filter(({ kind, sizeBytes }) => kind === 'file' && sizeBytes > 0);
  const contents = await mapParallel(regular, PARALLEL_FILES, async (entry) => {
    const facts = await readFacts(tree.rootDir, entry, texts);
    return facts ? ([[entry.path, facts]] as const) : [];
  });
  return {
    files: new Map(contents.flat()),
    capabilities: await options.readCapabilities(tree.rootDir),
    foreignOwned: await findForeignOwned(tree),
    packages: options.packages,
  };
}

async function readFacts(
  rootDir: string,
  entry: TreeEntry,
  texts: readonly string[],
): Promise<FileFacts | undefined> {
  const where = join(rootDir, entry.path);
  let file: FileHandle | undefined;
  try {
    file = await open(where, 'r');
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    const start = head.subarray(0, bytesRead);
    if (start.toString('latin1', 0, 2) === '#!') {
      const line = start.toString('utf8', 2).split('\n', 1)[0] ?? '';
      return { kind: 'script', interpreter: line.trim() };
    }
    if (start.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
    if (entry.sizeBytes > PROGRAM_LIMIT_BYTES) {
      return { kind: 'unreadable-elf', problem: `it has ${entry.sizeBytes} bytes` };
    }
    const bytes = Buffer.alloc(entry.sizeBytes);
    await file.read(bytes, 0, entry.sizeBytes, 0);
    return elfFacts(bytes, entry, texts);
  } catch (reason) {
    throw ioError(reason, `read ${where}`);
  } finally {
    await file?.close();
  }
}

function elfFacts(bytes: Buffer, entry: TreeEntry, texts: readonly string[]): FileFacts | undefined {
  try {
    const elf = readElf(bytes, entry.path);
    if (!elf) return undefined;
    const runnable =
      elf.interpreter !== undefined || (elf.type !== 'relocatable' && (entry.mode & 0o111) !== 0);
    const contains = runnable ? findTexts(bytes, texts) : [];
    return { kind: 'elf', elf, contains };
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
    return { kind: 'unreadable-elf', problem: reason.message };
  }
}

/** On disk the tree belongs to whoever builds it; mkfs writes 0:0 for that user, and nobody else may own a part. */
async function findForeignOwned(tree: BuiltTree): Promise<Map<string, { uid: number; gid: number }>> {
  const builder = await lstat(tree.rootDir);
  const found = await mapParallel(tree.entries, 16, async ({ path }) => {
    const { uid, gid } = await lstat(join(tree.rootDir, path));
    return uid === builder.uid && gid === builder.gid ? [] : ([[path, { uid, gid }]] as const);
  });
  return new Map(found.flat());
}
