import { chmod, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PlinthError, type Progress, silentProgress } from '@plinth/base';
import { EROFS_LAYOUT } from '@plinth/formats';
import { hashFile, hashText, ioError, openStageCache, type StageCache, writeFileAtomic } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import type { Signer } from '@plinth/trust';
import {
  formatHotLayer,
  HOT_LAYER,
  HOT_LAYER_LIMIT_BYTES,
  HOT_LAYER_MANIFEST,
  type HotLayer,
  hotLayerNames,
  hotLayerVersion,
} from '@plinth/updates';
import { digestFolder } from '../build/digest-folder.ts';
import type { FactsFile } from '../release/facts/release-facts.ts';
import { addVerity, makeRootFilesystem } from '../root/make-root.ts';
import { releaseFile } from '../sysext/assemble-layer.ts';
import { extensionFileName, makeExtension } from '../sysext/make-extension.ts';
import { relaxName } from '../sysext/relax-name.ts';
import { gateHotLayer } from './gate-hot-layer.ts';
import { renderHotExtensionRelease } from './hot-extension-release.ts';
import { type HotFacts, type HotLayerPlan, planHotLayer } from './plan-hot-layer.ts';

export interface BuildHotLayerOptions {
  readonly osDir: string;
  /** The image the layer is for, and the folder that holds its tree. */
  readonly base: HotFacts & { readonly name: string; readonly rootHash: string; readonly treeDir: string };
  /** The release that has the fixes, and the folder that holds its tree, owned by root. */
  readonly next: HotFacts & { readonly treeDir: string };
  /** Names of packages; empty for all that can be hot. */
  readonly packages: readonly string[];
  readonly advisories: readonly string[];
  /** The layer before this one over the same base: its fixes must be in this one, and its serial is surpassed. */
  readonly previous?: HotLayer | undefined;
  /** Signs the root hash; the key the image's own root is signed with. */
  readonly key: Signer;
  readonly toolbox: Toolbox;
  readonly epochSeconds: number;
  /** Receives the two files. */
  readonly outDir: string;
  readonly cache?: StageCache;
  readonly progress?: Progress;
}

export interface BuiltHotLayer {
  readonly layer: HotLayer;
  readonly leftOut: HotLayerPlan['leftOut'];
  readonly imagePath: string;
  readonly manifestPath: string;
  readonly rootHash: string;
  readonly sizeBytes: number;
}

const SOURCE = join(import.meta.dirname, '..');
const LIMITS = { rootSizeBytes: HOT_LAYER_LIMIT_BYTES, veritySizeBytes: 2 * 2 ** 20 };

/**
 * buildHotLayer makes the signed extension that lays the changed files of a newer release over a base: plan, policy, file
 * system with hash tree, signature. The same inputs always give the same bytes.
 * @throws hot-layer/nothing-hot, hot-layer/cannot-be-hot, hot-layer/not-cumulative, policy/violations, image/too-large, host/io, host/disk-full
 */
export async function buildHotLayer(options: BuildHotLayerOptions): Promise<BuiltHotLayer> {
  const { base, next, toolbox, key, epochSeconds, outDir, progress = silentProgress } = options;
  const cache = options.cache ?? openStageCache();
  const plan = planHotLayer(base, next, options.packages);
  const layer = describeLayer(options, plan);
  const version = hotLayerVersion(layer);
  const builder = await digestFolder(join(SOURCE, 'hot-layer'));
  const manifest = formatHotLayer(layer);

  const dir = await cache.stage(
    'hot-layer',
    `Assemble hot layer ${version}`,
    { builder, manifest: hashText(manifest), entries: plan.entries },
    progress,
    async (work) => {
      const root = join(work, 'root');
      for (const entry of plan.entries) await placeEntry(entry, next.treeDir, root);
      const release = join(root, releaseFile(HOT_LAYER));
      await writeInto(release, renderHotExtensionRelease(layer));
      await writeInto(join(root, HOT_LAYER_MANIFEST), manifest);
      await relaxName(toolbox, release);
    },
  );
  const today = new Date().toISOString().slice(0, 10);
  const below = { ...base, packages: base.packages.map((each) => each.name) };
  await gateHotLayer(dir, below, { osDir: options.osDir, toolbox, cache, today }, progress);

  const fileContextsDir = join(next.treeDir, 'etc/selinux/default/contexts/files');
  const packed = await cache.stage(
    'hot-layer-image',
    `Pack and sign hot layer ${version}`,
    {
      ...{
        builder,
        layout: EROFS_LAYOUT,
        toolbox: toolbox.key,
        layer: basename(dir),
        key: key.keyId,
        epochSeconds,
      },
      root: await digestFolder(join(SOURCE, 'root')),
      extension: await digestFolder(join(SOURCE, 'sysext')),
      contexts: await digestFolder(fileContextsDir),
    },
    progress,
    async (work) => {
      const filesystem = join(work, 'filesystem');
      await mkdir(filesystem);
      const seed = `${HOT_LAYER} ${version}`;
      await makeRootFilesystem(join(dir, 'root'), filesystem, {
        toolbox,
        epochSeconds,
        seed,
        fileContextsDir,
      });
      const root = await addVerity(filesystem, { seed, slots: LIMITS });
      const named = { name: HOT_LAYER, version, label: `hot-${layer.serial}` };
      await makeExtension({ ...named, root, key, toolbox, epochSeconds }, work);
      await rm(filesystem, { recursive: true });
      const { rootHash, sizeBytes } = root;
      await writeFile(join(work, 'root.json'), JSON.stringify({ rootHash, sizeBytes }));
    },
  );
  const names = hotLayerNames(layer);
  const imagePath = await publishFile(
    join(packed, extensionFileName(HOT_LAYER, version)),
    join(outDir, names.image),
  );
  const manifestPath = join(outDir, names.manifest);
  await writeFileAtomic(manifestPath, manifest);
  const facts = JSON.parse(await readFile(join(packed, 'root.json'), 'utf8')) as {
    readonly rootHash: string;
    readonly sizeBytes: number;
  };
  return { layer, leftOut: plan.leftOut, imagePath, manifestPath, ...facts };
}

function describeLayer(options: BuildHotLayerOptions, plan: HotLayerPlan): HotLayer {
  const { base, previous, advisories, epochSeconds } = options;
  const { fixes, replaced, added } = plan;
  if (previous && previous.base.rootHash !== base.rootHash)
    throw new PlinthError(
      'hot-layer/wrong-base',
      `Cannot build upon the hot layer ${hotLayerVersion(previous)}: it is for ${previous.base.rootHash}, expected one for ${base.rootHash}`,
    );
  const fixed = new Set(fixes.map((fix) => fix.package));
  const lost = (previous?.fixes ?? []).map((fix) => fix.package).filter((name) => !fixed.has(name));
  if (lost.length > 0)
    throw new PlinthError(
      'hot-layer/not-cumulative',
      `Cannot build the hot layer: it would lack the fixes of ${lost.join(', ')} that serial ${previous?.serial} has, expected all of them`,
    );
  return {
    format: 1,
    name: HOT_LAYER,
    architecture: 'x86-64',
    base: { name: base.name, version: base.version, rootHash: base.rootHash },
    serial: (previous?.serial ?? 0) + 1,
    created: new Date(epochSeconds * 1000).toISOString(),
    fixes: [...fixes],
    advisories: [...new Set([...(previous?.advisories ?? []), ...advisories])].sort(),
    replaced: [...replaced],
    added: [...added],
  };
}

async function placeEntry(entry: FactsFile, from: string, root: string): Promise<void> {
  const { path, kind, mode, target = '' } = entry;
  const place = join(root, path);
  await mkdir(dirname(place), { recursive: true });
  if (kind === 'dir') await mkdir(place, { recursive: true });
  else if (kind === 'symlink') await symlink(target, place);
  else await copyFile(join(from, path), place);
  if (kind === 'file' && (await hashFile(place)).sha256 !== entry.sha256)
    throw new PlinthError(
      'release/facts-invalid',
      `Cannot take ${path} from the newer release: its bytes are not those of the facts, expected a release as built`,
    );
  if (kind !== 'symlink') await chmod(place, mode);
}

async function writeInto(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o644 });
}

/** The file appears whole under its name. */
async function publishFile(from: string, to: string): Promise<string> {
  const temporary = `${to}.tmp`;
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, temporary);
    await rename(temporary, to);
    return to;
  } catch (reason) {
    await rm(temporary, { force: true });
    throw ioError(reason, `write ${to}`);
  }
}
