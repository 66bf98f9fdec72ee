import { type Progress, silentProgress } from '@plinth/base';
import { type LockedPackage, unpackDeb } from '@plinth/debian';
import { mapParallel, type StageCache } from '@plinth/host';

/**
 * unpackPackages unpacks each locked package into a stage of its own; nothing of it is run.
 * @param debs where each package's file is
 * @returns the folder of each package
 * @throws debian/package-corrupt, host/disk-full
 */
export async function unpackPackages(
  packages: readonly LockedPackage[],
  debs: ReadonlyMap<string, string>,
  cache: StageCache,
  progress: Progress,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  return progress.step(`Unpack ${packages.length} packages`, async (step) => {
    let made = 0;
    const dirs = await mapParallel(packages, 3, (item) =>
      cache.stage('unpacked', `Unpack ${item.name}`, { sha256: item.sha256 }, silentProgress, async (dir) => {
        step.note(`${++made} unpacked`);
        await unpackDeb(debs.get(item.name) ?? '', dir, signal);
      }),
    );
    if (made === 0) step.cached('all were unpacked before');
    return new Map(packages.map((item, index) => [item.name, dirs[index] ?? '']));
  });
}
