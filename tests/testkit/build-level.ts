import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentProgress } from '@plinth/base';
import { agentRecipe } from '@plinth/cli';
import { readLock } from '@plinth/debian';
import {
  BOOT_FILES,
  type BuildOptions,
  type BuiltImage,
  buildImage,
  type ExecuteLevel,
  goComponentSource,
  signWorkload,
  writeOciArchive,
} from '@plinth/image';
import { readTrustedRoot } from '@plinth/publish';
import type { BootLab } from './boot-lab.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const osDir = join(repository, 'os');
const compile = goComponentSource({ goDir: join(repository, 'go'), lockDir: osDir });

/** buildLevel builds the image under test with another level of what may execute. @returns its disk, in the stage cache */
export async function buildLevel(lab: BootLab, execute: ExecuteLevel): Promise<string> {
  const { diskPath } = await build(lab, { execute });
  return diskPath;
}

/** buildSealing builds the image under test so that it encrypts /var where there is a TPM. @returns its disk and its UKI, in the stage cache */
export async function buildSealing(lab: BootLab): Promise<{ diskPath: string; ukiPath: string }> {
  const { diskPath, bootDir } = await build(lab, { encryptVar: 'tpm2' });
  return { diskPath, ukiPath: join(bootDir, BOOT_FILES.uki) };
}

async function build(
  lab: BootLab,
  variant: Pick<BuildOptions, 'execute' | 'encryptVar'>,
): Promise<BuiltImage> {
  const lockPath = join(osDir, 'plinth.lock.json');
  const { boot, verity, pcr, release } = lab.keys.signers;
  return buildImage({
    ...{ osDir, lockPath, lock: await readLock(lockPath), toolbox: lab.toolbox, compile, ...variant },
    keys: { boot, verity, pcr, release },
    updateRoot: await readTrustedRoot(lab.keysFolder),
    agent: await agentRecipe(lab.toolbox, new AbortController().signal),
  });
}

/** A layer as `plinth workload sign` leaves it. */
export interface SignedLayer {
  readonly imagePath: string;
  readonly hashTreePath: string;
  readonly rootHash: string;
  /** Base64. */
  readonly signature: string;
}

/** signAttempts puts the program of go/attempts into an image, and signs that with the lab's key. */
export async function signAttempts(lab: BootLab): Promise<SignedLayer> {
  const built = await compile(['attempts'], silentProgress);
  const program = await readFile(built.get('attempts')?.programs.get('attempts') ?? '');
  const folders = ['dev', 'etc', 'lib', 'lib64', 'opt', 'proc', 'run', 'sys', 'tmp', 'usr', 'var'];
  const { bytes } = writeOciArchive({
    reference: 'plinth.local/attempts:1',
    entries: [
      ...folders.map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
      { kind: 'file', path: 'attempts', mode: 0o755, data: program },
    ],
    entrypoint: ['/attempts'],
    epochSeconds: 1_700_000_000,
  });
  const [archive, out] = [join(lab.scratch, 'attempts.tar'), join(lab.scratch, 'attempts.signed')];
  await writeFile(archive, bytes);
  const { bundleDigest } = await signWorkload(archive, out, {
    key: lab.keys.signers.verity,
    toolbox: lab.toolbox,
  });
  const blob = (digest: string) => join(out, 'blobs', digest.replace(':', '/'));
  const bundle: { layers: { digest: string; mediaType: string; annotations: Record<string, string> }[] } =
    JSON.parse(await readFile(blob(bundleDigest), 'utf8'));
  const part = (end: string) => bundle.layers.find(({ mediaType }) => mediaType.endsWith(end));
  const annotations = part('pkcs7')?.annotations ?? {};
  return {
    imagePath: blob(part('erofs.layer.v1')?.digest ?? ''),
    hashTreePath: blob(part('merkle-tree.v1')?.digest ?? ''),
    rootHash: annotations['io.cncf.notary.dmverity.layer-roothash'] ?? '',
    signature: annotations['io.cncf.notary.dmverity.layer-signature'] ?? '',
  };
}
