import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PlinthError } from '@plinth/base';
import { ioError, isErrno } from '@plinth/host';
import { z } from 'zod';
import { parseBoundedJson, readBounded } from '../documents/read-file.ts';
import { isLayerPaper, readLayerPaper, readSubject } from '../inventory/index.ts';
import type { Inventory } from '../model/index.ts';
import { isInventoryFile, readInventory, readKernel } from '../watch/inventory-files.ts';

/** What one release, or one Kubernetes layer, is made of: found by the hash of its root. */
export interface Papers {
  readonly kind: 'release' | 'layer';
  /** "plinth_0.1.1_x86-64". */
  readonly name: string;
  readonly rootHash: string;
  readonly version: string;
  /** Folder of the release, or file that a watch keeps. */
  readonly path: string;
  /** Reads what is in the release. @throws advisory/subject-invalid, host/io */
  readonly read: () => Promise<Inventory>;
}

/** Papers by root hash, and what was in the way. */
export interface PapersFound {
  readonly byRootHash: ReadonlyMap<string, Papers>;
  readonly gaps: readonly string[];
}

const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;
const ENTRIES_LIMIT = 10_000;

const manifestSchema = z.object({
  name: z.string().max(200),
  version: z.string().max(200),
  architecture: z.string().max(60),
  rootHash: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * findPapers looks for papers in folders: each is a release, a folder of releases, one with papers of Kubernetes layers, or
 * what `plinth cve watch` keeps. A release's own folder counts before what a watch kept of it. What cannot be read is a
 * gap, not an error: the other folders are still used.
 */
export async function findPapers(folders: readonly string[]): Promise<PapersFound> {
  const found: Papers[] = [];
  const gaps: string[] = [];
  for (const folder of folders) {
    const before = found.length;
    try {
      await findIn(folder, found, gaps);
      if (found.length === before) gaps.push(`${folder} holds no papers of a release`);
    } catch (reason) {
      gaps.push(`${folder} was not used: ${messageOf(reason)}`);
    }
  }
  const byRootHash = new Map<string, Papers>();
  for (const papers of found) {
    const known = byRootHash.get(papers.rootHash);
    if (!known) byRootHash.set(papers.rootHash, papers);
    else if (known.name !== papers.name)
      gaps.push(
        `${papers.path} and ${known.path} both claim the root hash of ${known.name}; the latter was used`,
      );
  }
  return { byRootHash, gaps };
}

async function findIn(folder: string, found: Papers[], gaps: string[]): Promise<void> {
  const names = await list(folder);
  const manifest = names.find((name) => name.endsWith('.manifest.json'));
  if (manifest !== undefined) {
    found.push(await releasePapers(folder, manifest));
    await findLayers(folder, names, found, gaps);
    return;
  }
  if (names.includes('inventories')) {
    const kept = join(folder, 'inventories');
    for (const name of await list(kept)) {
      if (!isInventoryFile(name)) continue;
      await attempt(join(kept, name), gaps, async (path) => {
        const papers = await keptPapers(kept, path);
        if (papers) found.push(papers);
      });
    }
    return;
  }
  await findLayers(folder, names, found, gaps);
  for (const name of names) {
    const inside = join(folder, name);
    const manifests = await list(inside).catch((): string[] => []);
    const inner = manifests.find((each) => each.endsWith('.manifest.json'));
    if (inner !== undefined)
      await attempt(inside, gaps, async () => {
        found.push(await releasePapers(inside, inner));
      });
    else await findLayers(inside, manifests, found, gaps);
  }
}

/** Adds the layers among the names. */
async function findLayers(
  folder: string,
  names: readonly string[],
  found: Papers[],
  gaps: string[],
): Promise<void> {
  for (const name of names.filter(isLayerPaper))
    await attempt(join(folder, name), gaps, async (path) => {
      const { name: layer, version, architecture, rootHash } = (await readLayerPaper(path)).paper;
      found.push({
        ...{ kind: 'layer', name: `${layer}_${version}_${architecture}`, rootHash, version, path },
        read: () => readSubject(path),
      });
    });
}

async function attempt(path: string, gaps: string[], act: (path: string) => Promise<void>): Promise<void> {
  try {
    await act(path);
  } catch (reason) {
    gaps.push(`${path} was not used: ${messageOf(reason)}`);
  }
}

async function releasePapers(folder: string, manifestName: string): Promise<Papers> {
  const { text } = await readBounded(join(folder, manifestName), MANIFEST_LIMIT_BYTES);
  const parsed = manifestSchema.safeParse(parseBoundedJson(text, manifestName));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new PlinthError(
      'advisory/subject-invalid',
      `Cannot read ${manifestName}: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'invalid'}, expected papers of a release`,
    );
  }
  const { name, version, architecture, rootHash } = parsed.data;
  return {
    kind: 'release',
    ...{ name: `${name.toLowerCase()}_${version}_${architecture}`, rootHash, version, path: folder },
    read: () => readSubject(folder),
  };
}

/** Undefined for what a watch keeps of a subject that is no release. */
async function keptPapers(folder: string, path: string): Promise<Papers | undefined> {
  const { name, inventory } = await readInventory(path);
  const { rootHash, version, kind: subject } = inventory.subject;
  if (rootHash === undefined) return undefined;
  const kind = subject === 'layer' ? 'layer' : 'release';
  // Read again when it is needed: a watch keeps more than fits into memory at once.
  const read = async (): Promise<Inventory> => {
    const stored = await readInventory(path);
    const kernel = stored.kernel === undefined ? undefined : await readKernel(folder, stored.kernel);
    return {
      ...stored.inventory,
      ...(kernel ? { kernel } : {}),
      gaps: [...stored.inventory.gaps, 'the watch kept no list of files: evidence from files was not used'],
    };
  };
  return { kind, name, rootHash, version: version ?? '', path, read };
}

async function list(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) {
      throw new PlinthError(
        'advisory/subject-unknown',
        `Cannot look into ${folder}: there is nothing, expected a folder`,
      );
    }
    throw ioError(reason, `list ${folder}`);
  });
  if (names.length > ENTRIES_LIMIT)
    throw new PlinthError(
      'advisory/subject-invalid',
      `Cannot look into ${folder}: it has ${names.length} entries, expected at most ${ENTRIES_LIMIT}`,
    );
  return names.sort();
}
