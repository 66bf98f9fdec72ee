import { lstat, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { type CpioEntry, writeCpio } from '@plinth/formats';
import { hashText } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { fixedEntries, ownEntries, readFolder } from './initrd-files.ts';

const compress = promisify(zstdCompress);

/** Everything the initrd is made of, read but not yet packed. */
export interface InitrdParts {
  readonly entries: readonly CpioEntry[];
  readonly kernelVersion: string;
  /** Digest over all parts: the key an unchanged initrd is found by. */
  readonly digest: string;
}

/**
 * readInitrdParts collects the planned paths of the tree and Plinth's own files.
 * @param paths as planInitrd gives them
 * @param sealVar whether a new /var is sealed by the TPM where there is one
 */
export async function readInitrdParts(
  root: string,
  paths: readonly string[],
  osDir: string,
  kernelVersion: string,
  sealVar: boolean,
): Promise<InitrdParts> {
  const fromTree = await Promise.all(
    paths.map(async (path): Promise<CpioEntry> => {
      const stats = await lstat(join(root, path));
      const inside = path.slice(1);
      if (stats.isSymbolicLink())
        return { kind: 'symlink', path: inside, target: await readlink(join(root, path)) };
      return { kind: 'file', path: inside, mode: stats.mode & 0o777, data: await readFile(join(root, path)) };
    }),
  );
  const tables = await Promise.all(
    ['modules.builtin', 'modules.builtin.modinfo', 'modules.order'].map(async (name): Promise<CpioEntry> => {
      const path = `usr/lib/modules/${kernelVersion}/${name}`;
      return { kind: 'file', path, mode: 0o644, data: await readFile(join(root, path)) };
    }),
  );
  const all = [...fixedEntries(), ...fromTree, ...tables, ...(await ownEntries(osDir, sealVar))];
  // What os/initrd says comes last, and the last one wins.
  const entries = [...new Map(all.map((entry) => [entry.path, entry])).values()];
  const lines = entries.map((entry) => `${entry.kind} ${entry.path} ${describe(entry)}`).sort();
  return { entries, kernelVersion, digest: hashText(lines.join('\n')) };
}

function describe(entry: CpioEntry): string {
  if (entry.kind === 'file') return `${entry.mode} ${hashText(entry.data)}`;
  return entry.kind === 'symlink' ? entry.target : String(entry.mode);
}

/** All entries carry it: a time of the build would make the initrd another one with each lock. */
const MTIME_SECONDS = 0;

/** packInitrd indexes the modules with depmod and writes the compressed archive. */
export async function packInitrd(parts: InitrdParts, output: string, toolbox: Toolbox): Promise<void> {
  const modules = `usr/lib/modules/${parts.kernelVersion}`;
  const scratch = await mkdtemp(join(dirname(output), '.depmod-'));
  try {
    for (const entry of parts.entries) {
      if (entry.kind !== 'file' || !entry.path.startsWith(`${modules}/`)) continue;
      await mkdir(dirname(join(scratch, entry.path)), { recursive: true });
      await writeFile(join(scratch, entry.path), entry.data);
    }
    await toolbox.run(
      'depmod',
      ['--basedir', '/mnt/root', '--moduledir', '/usr/lib/modules', parts.kernelVersion],
      {
        binds: [{ host: scratch, inside: '/mnt/root' }],
      },
    );
    const indexes = await readFolder(join(scratch, modules), modules, 0o644);
    const known = new Set(parts.entries.map((entry) => entry.path));
    const archive = writeCpio([...parts.entries, ...indexes.filter((entry) => !known.has(entry.path))], {
      mtimeSeconds: MTIME_SECONDS,
    });
    await writeFile(output, await compress(archive, { params: { [constants.ZSTD_c_compressionLevel]: 10 } }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
