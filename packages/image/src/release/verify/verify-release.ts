import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import { PlinthError, silentProgress } from '@plinth/base';
import type { Toolbox } from '@plinth/toolbox';
import type { Manifest } from '@plinth/updates';
import { parseManifest, releaseNames, SUMS_FILE } from '@plinth/updates';
import { openDisk } from '../disk/open-disk.ts';
import { findManifest } from '../read-release.ts';
import { parseSums } from '../sums.ts';
import {
  type Check,
  type CheckId,
  makeReport,
  noAnchors,
  notReached,
  type Outcome,
  runCheck,
  unknown,
  type VerifyOptions,
  type VerifyReport,
} from './check.ts';
import { checkManifest, checkProvenance, checkSums, checkSumsSignature, readPaper } from './check-files.ts';
import { checkSbom } from './check-sbom.ts';
import { imageCheckIds, verifyImage } from './verify-image.ts';

export interface VerifyReleaseOptions extends VerifyOptions {
  /** Unpacks the root to compare it with the SBOM; without it that link stays unknown. */
  readonly toolbox?: Toolbox;
  readonly progress?: Progress;
}

/**
 * verifyRelease judges every link of a release, offline, from the signature of its checksums to the files in its root.
 * All links are judged; the report names the first that is broken.
 * @throws release/not-found when the folder holds no release; host/disk-full, host/io
 */
export async function verifyRelease(
  folder: string,
  options: VerifyReleaseOptions = {},
): Promise<VerifyReport> {
  const { progress = silentProgress } = options;
  const manifestName = await findManifest(folder);
  const files = await progress.step('Check signatures and files', () =>
    verifyFiles(folder, manifestName, options),
  );
  const { manifest } = files;
  const disk = await progress.step('Check the disk', () =>
    manifest ? verifyReleaseDisk(folder, manifest, options) : Promise.resolve<Check[]>([]),
  );
  const missing = [...imageCheckIds, 'sbom' as const]
    .filter((id) => !disk.some((check) => check.id === id))
    .map((id) => notReached(id, manifest ? 'the disk cannot be read' : 'the manifest cannot be read'));
  return makeReport(folder, [...files.checks, ...disk, ...missing]);
}

async function verifyFiles(
  folder: string,
  manifestName: string,
  { trusted: anchors = noAnchors, signal }: VerifyOptions,
): Promise<{ readonly checks: readonly Check[]; readonly manifest?: Manifest }> {
  const text = async (name: string) => Buffer.from(await readPaper(folder, name)).toString('utf8');
  const readSums = async () => parseSums(await text(SUMS_FILE));
  const readManifest = async () => parseManifest(await text(manifestName), manifestName);
  const provenanceName = manifestName.replace(/\.manifest\.json$/, '.provenance.json');
  const judge = (id: CheckId, work: () => Promise<Outcome> | Outcome) => runCheck(id, work, signal);
  const checks = [
    await judge('sums-signature', () => checkSumsSignature(folder, anchors)),
    await judge('sums', async () => checkSums(folder, await readSums())),
    await judge('manifest', async () => checkManifest(await readManifest(), await readSums())),
    await judge('provenance', async () => checkProvenance(folder, provenanceName, await readSums(), anchors)),
  ];
  const manifest = await readManifest().catch((reason: unknown) => {
    // Check "manifest" has reported it.
    if (reason instanceof PlinthError) return undefined;
    throw reason;
  });
  return { checks, ...(manifest ? { manifest } : {}) };
}

async function verifyReleaseDisk(
  folder: string,
  manifest: Manifest,
  options: VerifyReleaseOptions,
): Promise<Check[]> {
  const { toolbox, signal } = options;
  const names = releaseNames(manifest.name, manifest.version);
  if (!manifest.artefacts.some(({ name }) => name === names.disk('raw.zst'))) {
    return [...imageCheckIds, 'sbom' as const].map((id) =>
      notReached(id, 'the release has no .raw.zst disk'),
    );
  }
  const disk = await openDisk(join(folder, names.disk('raw.zst')), signal).catch(asPlinthError);
  if (disk instanceof PlinthError) {
    return [await runCheck('disk-table', () => Promise.reject(disk), signal)];
  }
  try {
    const { checks, layout } = await verifyImage(disk, options, { folder, manifest });
    const [slot] = layout?.slots ?? [];
    if (!slot) return [...checks];
    const checkContents = async () => {
      if (!toolbox) return unknown('no toolbox was given to unpack the root with');
      const spdx = Buffer.from(await readPaper(folder, names.spdx)).toString('utf8');
      return checkSbom(spdx, disk.path, slot, toolbox);
    };
    const sbom = await runCheck('sbom', checkContents, signal);
    return [...checks, sbom];
  } finally {
    await disk.close();
  }
}

function asPlinthError(reason: unknown): PlinthError {
  if (reason instanceof PlinthError) return reason;
  throw reason;
}
