import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GoBuildInfo, readElf } from '@plinth/formats';
import { ioError, mapParallel } from '@plinth/host';
import type { BuiltTree } from '../../types.ts';

const ELF_MAGIC = '\x7fELF';
/** Name of the section that Go's linker leaves in every program. */
const GO_SECTION = '.go.buildinfo';

/**
 * readGoPrograms reads the build information of all Go programs of a tree, by path.
 * @throws host/io, formats/elf-invalid
 */
export async function readGoPrograms({ rootDir, entries }: BuiltTree): Promise<Map<string, GoBuildInfo>> {
  const programs = entries.filter(({ kind, mode }) => kind === 'file' && (mode & 0o111) !== 0);
  const found = await mapParallel(programs, 4, async ({ path }) => {
    const where = join(rootDir, path);
    try {
      if (!(await isElf(where))) return [];
      const bytes = await readFile(where);
      const go = bytes.includes(GO_SECTION) ? readElf(bytes, path)?.go : undefined;
      return go ? [[path, go] as const] : [];
    } catch (reason) {
      throw ioError(reason, `read ${where}`);
    }
  });
  return new Map(found.flat());
}

async function isElf(path: string): Promise<boolean> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ELF_MAGIC.length), 0, ELF_MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === ELF_MAGIC;
  } finally {
    await file?.close();
  }
}
