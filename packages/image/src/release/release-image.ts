import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { evidenceRulesNumber } from '@plinth/advisory';
import { type Progress, silentProgress } from '@plinth/base';
import { formatLock, type Lock } from '@plinth/debian';
import { exists, hashText, ioError, openStageCache, removeTree, type StageCache } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import type { Manifest } from '@plinth/updates';
import { SUMS_FILE } from '@plinth/updates';
import { BOOT_FILES, type BuildKeys, type PredictedPcrs } from '../boot/boot-chain.ts';
import type { BuiltImage } from '../build/build-image.ts';
import { digestFolder } from '../build/digest-folder.ts';
import { readAgentModules } from './agent-modules.ts';
import { type DiskFormat, diskFormats } from './disk/convert-disk.ts';
import { readManifest } from './read-release.ts';
import { readLicences } from './sbom/read-licences.ts';
import type { SecureBootKeys } from './secure-boot-keys.ts';
import { writeRelease } from './write-release.ts';

/** Where the tree has the agent. */
const AGENT_PATH = '/usr/lib/plinth/plinthd';

export interface ReleaseImageOptions {
  readonly lock: Lock;
  readonly keys: BuildKeys;
  /** Keys of the machines it is for; without them it has no reference values for attestation. */
  readonly secureBoot?: SecureBootKeys;
  readonly toolbox: Toolbox;
  readonly agentVersion: string;
  /** The folder people see; made, or replaced as a whole. */
  readonly outDir: string;
  /** Which forms of the disk to write; default all. A release without "raw.zst" cannot be verified as a whole. */
  readonly formats?: readonly DiskFormat[];
  /** Commit the source was at, for the provenance. */
  readonly commit?: string;
  readonly cache?: StageCache;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * releaseImage writes the release of a built image: a stage like the others, found again when nothing changed, then
 * copied to where people look.
 * @throws what writeRelease throws; release/incomplete; host/disk-full, host/io
 */
export async function releaseImage(image: BuiltImage, options: ReleaseImageOptions): Promise<Manifest> {
  const { cache = openStageCache(), progress = silentProgress, formats = diskFormats } = options;
  const { lock, keys, secureBoot, toolbox, agentVersion, commit, signal } = options;
  const lockSha256 = hashText(formatLock(lock));
  const stage = await cache.stage(
    'release',
    'Write the release',
    {
      builder: await digestFolder(import.meta.dirname),
      toolbox: toolbox.key,
      disk: basename(dirname(image.diskPath)),
      boot: basename(image.bootDir),
      tree: image.tree.key,
      release: keys.release.keyId,
      evidence: evidenceRulesNumber,
      ...{ formats, agentVersion, lockSha256, commit },
      ...(secureBoot && { secureBoot: keysDigest(secureBoot) }),
    },
    progress,
    async (folder, step) => {
      const inputs = await releaseInputs(image, { ...options, formats }, lockSha256);
      await writeRelease(inputs, folder, { toolbox, progress: step, ...(signal ? { signal } : {}) });
    },
  );
  await publish(toolbox, stage, options.outDir);
  return readManifest(stage);
}

/** Names the keys of the machines; what is public of them is in the release. */
function keysDigest({ pk, kek, db, authorities }: SecureBootKeys): string {
  const certificates = authorities.map(({ certificateDer }) => certificateDer);
  return hashText([pk, kek, db, ...certificates].map((part) => Buffer.from(part).toString('hex')).join(' '));
}

async function releaseInputs(
  { spec, tree, bootDir, ...image }: BuiltImage,
  options: ReleaseImageOptions & { readonly formats: readonly DiskFormat[] },
  lockSha256: string,
): Promise<Parameters<typeof writeRelease>[0]> {
  const { lock, keys, formats, commit } = options;
  const pcrs = JSON.parse(await readText(join(bootDir, BOOT_FILES.pcrs))) as PredictedPcrs;
  return {
    name: spec.name,
    version: image.version,
    prettyName: `${spec.prettyName} ${image.version}`,
    epochSeconds: image.epochSeconds,
    rootHash: image.rootHash,
    diskPath: image.diskPath,
    ukiPath: join(bootDir, BOOT_FILES.uki),
    lock,
    lockSha256,
    treeDir: tree.root,
    owners: tree.owners,
    licences: await readLicences(
      lock.packages.map((item) => item.name),
      tree.packageDir,
    ),
    kernel: {
      release: tree.kernelVersion,
      package: `linux-image-${tree.kernelVersion}`,
      config: await readText(image.kernelConfigPath),
    },
    agent: {
      version: options.agentVersion,
      path: AGENT_PATH,
      contents: await readAgentModules(join(tree.agentDir, 'modules.json')),
    },
    pcrs: { ...pcrs },
    ...(options.secureBoot && { secureBoot: options.secureBoot }),
    certificates: {
      boot: keys.boot.certificate,
      verity: keys.verity.certificate,
      pcr: keys.pcr.certificate,
      release: keys.release.certificate,
    },
    signer: keys.release,
    formats,
    ...(commit === undefined ? {} : { commit }),
  };
}

/**
 * Copies the finished files, holes as holes and blocks shared where the file system can, so that nothing done to the
 * copy touches the cache. Does nothing when the same release is there already.
 */
async function publish(toolbox: Toolbox, stage: string, outDir: string): Promise<void> {
  if (await isPublished(stage, outDir)) return;
  const work = `${outDir}.new`;
  try {
    await removeTree(work);
    await mkdir(work, { recursive: true });
    await toolbox.run('cp', ['--recursive', '--sparse=always', '--reflink=auto', '/mnt/in/.', '/mnt/out'], {
      binds: [
        { host: stage, inside: '/mnt/in', readOnly: true },
        { host: work, inside: '/mnt/out' },
      ],
    });
    await removeTree(outDir);
    await rename(work, outDir);
  } catch (reason) {
    throw ioError(reason, `write release to ${outDir}`);
  } finally {
    await removeTree(work);
  }
}

/** Whether the folder holds the same release, whole: same checksums, and each file there with its size. */
async function isPublished(stage: string, outDir: string): Promise<boolean> {
  const [sums, published] = [join(stage, SUMS_FILE), join(outDir, SUMS_FILE)];
  if (!(await exists(published)) || (await readText(sums)) !== (await readText(published))) return false;
  for (const name of await readdir(stage)) {
    const copy = join(outDir, name);
    if (!(await exists(copy)) || (await stat(copy)).size !== (await stat(join(stage, name))).size)
      return false;
  }
  return true;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
}
