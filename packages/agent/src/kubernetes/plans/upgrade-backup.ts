import { constants, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { StateStore } from '../../sys/state-store.ts';
import { listDir, readBytes, type Sys } from '../../sys/sys.ts';
import { FOLDER } from '../paths.ts';

/** What kubeadm changes on a node in an upgrade; the links of /etc/kubernetes are followed here, see runtime-flags.ts. */
export const NODE_FILES = {
  manifests: '/var/lib/kubernetes/manifests',
  kubelet: ['/var/lib/kubelet/config.yaml', '/var/lib/kubelet/kubeadm-flags.env'],
} as const;

const INDEX = `${FOLDER}/backup/index.json`;
const index = z.object({ from: z.string(), to: z.string(), paths: z.array(z.string()) });

/** Writes a file of the node whole or not at all. */
export type WriteNodeFile = (path: string, data: Uint8Array) => Promise<void>;

/** backUp keeps the files as they are before an upgrade. The index is last: without it there is no backup. */
export async function backUp(
  { sys, store }: { readonly sys: Pick<Sys, 'readFile' | 'readDir'>; readonly store: StateStore },
  versions: { readonly from: string; readonly to: string },
): Promise<void> {
  const names = (await listDir(sys, NODE_FILES.manifests)).filter((name) => /^[\w-]+\.yaml$/.test(name));
  const paths: string[] = [];
  for (const path of [...names.map((name) => join(NODE_FILES.manifests, name)), ...NODE_FILES.kubelet]) {
    const data = await readBytes(sys, path);
    if (!data) continue;
    await store.write(keptName(path), data);
    paths.push(path);
  }
  await store.write(INDEX, Buffer.from(JSON.stringify({ ...versions, paths })));
}

/** hasBackup tells whether there is a whole backup for this upgrade. */
export async function hasBackup(
  store: StateStore,
  versions: { readonly from: string; readonly to: string },
): Promise<boolean> {
  const kept = await readIndex(store);
  return kept?.from === versions.from && kept.to === versions.to;
}

/** restoreBackup puts the files back; nothing happens without a backup. */
export async function restoreBackup(store: StateStore, write: WriteNodeFile): Promise<void> {
  for (const path of (await readIndex(store))?.paths ?? []) {
    const data = await store.read(keptName(path));
    if (data) await write(path, data);
  }
}

/** dropBackup forgets it: the upgrade has ended. */
export async function dropBackup(store: StateStore): Promise<void> {
  await store.remove(INDEX);
}

/** writeNodeFile is the real WriteNodeFile. The kubelet does not read names that begin with a dot. */
export async function writeNodeFile(path: string, data: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  const { O_WRONLY, O_CREAT, O_TRUNC, O_SYNC } = constants;
  try {
    const file = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_SYNC, 0o600);
    try {
      await file.writeFile(data);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (reason) {
    await rm(temporary, { force: true });
    throw reason;
  }
}

async function readIndex(store: StateStore): Promise<z.infer<typeof index> | undefined> {
  const bytes = await store.read(INDEX);
  return bytes && index.parse(JSON.parse(bytes.toString('utf8')));
}

function keptName(path: string): string {
  return `${FOLDER}/backup/${path.replaceAll('/', '_')}`;
}
