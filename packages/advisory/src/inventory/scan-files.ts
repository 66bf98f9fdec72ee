import { lstatSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readElf } from '@plinth/formats';
import { isErrno } from '@plinth/host';
import { readBoundedBytes } from '../documents/read-file.ts';
import type { GoProgram } from '../model/index.ts';

const FILES_LIMIT = 2_000_000;
const DEPTH_LIMIT = 64;
const PROGRAM_LIMIT_BYTES = 512 * 1024 * 1024;
/** Not part of what an image holds, and some of it never ends. */
const SKIPPED = new Set([
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/tmp',
  '/var/tmp',
  '/var/cache',
  '/var/lib/apt/lists',
]);

export interface FoundFiles {
  readonly paths: readonly string[];
  readonly gaps: readonly string[];
}

/**
 * listFiles lists all that is in a root but folders, without following a link, so that no link leads out of it.
 * Names that are no UTF-8 are listed as Node spells them.
 */
export async function listFiles(root: string): Promise<FoundFiles> {
  const paths: string[] = [];
  const gaps: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((reason: unknown) => {
      gaps.push(
        `${folder || '/'} cannot be listed: ${isErrno(reason, 'EACCES') ? 'not allowed' : 'it fails'}`,
      );
      return [];
    });
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      if (paths.length >= FILES_LIMIT) return;
      if (!entry.isDirectory()) paths.push(path);
      else if (SKIPPED.has(path)) continue;
      else if (depth >= DEPTH_LIMIT)
        gaps.push(`${path} lies deeper than ${DEPTH_LIMIT} folders: not looked at`);
      else await walk(path, depth + 1);
    }
  };
  await walk('', 0);
  if (paths.length >= FILES_LIMIT) gaps.push(`only the first ${FILES_LIMIT} files were looked at`);
  return { paths: paths.sort(), gaps };
}

/** readGoPrograms reads the build information of every Go program among the files, wherever it lies. */
export async function readGoPrograms(
  root: string,
  paths: readonly string[],
  ownerOf: (path: string) => string | undefined,
): Promise<{ readonly programs: GoProgram[]; readonly gaps: string[] }> {
  const programs: GoProgram[] = [];
  const gaps: string[] = [];
  for (const path of paths) {
    try {
      const facts = lstatSync(join(root, path), { throwIfNoEntry: false });
      // A running system removes files while it is looked at.
      if (!facts) continue;
      // Go's linker never makes a program smaller than this.
      if (!facts.isFile() || (facts.mode & 0o111) === 0 || facts.size < 500_000) continue;
      if (!(await isElf(join(root, path)))) continue;
      const bytes = await readBoundedBytes(join(root, path), PROGRAM_LIMIT_BYTES);
      if (!bytes.includes('.go.buildinfo')) continue;
      const go = readElf(bytes, path)?.go;
      if (!go) continue;
      const owner = ownerOf(path);
      programs.push({
        path,
        ...(owner === undefined ? {} : { package: owner }),
        goVersion: /^go[0-9][\w.-]*/.exec(go.goVersion)?.[0] ?? '',
        ...(go.main ? { main: { path: go.main.path, version: go.main.version } } : {}),
        modules: go.modules.map((module) => {
          const { path: name, version } = module.replacedBy ?? module;
          return { path: name, version };
        }),
        modulesRecorded: go.main !== undefined || go.modules.length > 0,
        provenance: { source: 'go-build-info', locator: path },
      });
    } catch {
      gaps.push(`${path} is a program that cannot be read: what it was built from is not known`);
    }
  }
  return { programs, gaps };
}

async function isElf(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1', 0, bytesRead) === '\x7fELF';
  } finally {
    await file.close();
  }
}
