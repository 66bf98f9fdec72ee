import { chmod, copyFile, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { BuiltGoComponent } from '../go/build-go-component.ts';
import { sourceOf } from '../spec/program-source.ts';
import { renderExtensionRelease } from './extension-release.ts';
import { imageReference, makeImageArchive } from './image-archive.ts';
import type { LayerImage, LayerSpec } from './layer-spec.ts';

export interface LayerInputs {
  readonly spec: LayerSpec;
  /** "1.37". */
  readonly minor: string;
  /** The version of Kubernetes: "1.37.1". */
  readonly version: string;
  /** Folder whose contents are part of the layer as they stand. */
  readonly treeDir: string;
  readonly components: ReadonlyMap<string, BuiltGoComponent>;
  /** Unpacked Debian packages by name. */
  readonly packages: ReadonlyMap<string, { readonly dir: string; readonly version: string }>;
  /** Text of the os-release of the image the layer is for. */
  readonly osRelease: string;
  readonly epochSeconds: number;
}

/** What a layer says about itself, in usr/share/plinth/kubernetes/layer.json. */
export interface LayerManifest {
  readonly kubernetes: string;
  readonly components: Readonly<Record<string, string>>;
  readonly images: readonly {
    readonly name: string;
    readonly reference: string;
    /** Path on the node. */
    readonly archive: string;
    readonly digest: string;
  }[];
}

const SHARE = 'usr/share/plinth/kubernetes';

/**
 * assembleLayer puts a layer together.
 * @param dir receives `root`, the tree of the extension, and `programs`, the programs inside its images: what is packed
 *   into archives must pass the image policy as well
 */
export async function assembleLayer(inputs: LayerInputs, dir: string): Promise<LayerManifest> {
  const root = join(dir, 'root');
  await cp(inputs.treeDir, root, { recursive: true });
  for (const { from, path, links } of inputs.spec.programs) {
    const target = join(root, path);
    await placeProgram(programOf(inputs, from).path, target);
    for (const link of links) await symlink(basename(path), join(dirname(target), link));
  }
  const images: LayerManifest['images'][number][] = [];
  for (const image of inputs.spec.images) images.push(await placeImage(inputs, image, dir));

  const manifest: LayerManifest = {
    kubernetes: inputs.version,
    components: versionsOf(inputs),
    images,
  };
  await writeFile(join(root, SHARE, 'layer.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await fillReferences(join(root, SHARE), images);
  const releasePath = join(root, releaseFile(inputs.spec.name));
  await mkdir(dirname(releasePath), { recursive: true });
  await writeFile(
    releasePath,
    renderExtensionRelease(inputs.osRelease, { ...inputs.spec, version: inputs.version }),
  );
  await openModes(root);
  return manifest;
}

/** releaseFile is where an extension says which images it fits. */
export function releaseFile(name: string): string {
  return `usr/lib/extension-release.d/extension-release.${name}`;
}

async function placeImage(
  inputs: LayerInputs,
  image: LayerImage,
  dir: string,
): Promise<LayerManifest['images'][number]> {
  const { path: programPath, version: programVersion } = programOf(inputs, image.from, image.program);
  const version = image.tag ?? programVersion;
  const { bytes, digest } = await makeImageArchive(image, { ...inputs, version, programPath });
  await placeProgram(programPath, join(dir, 'programs', image.name));
  const archive = `${SHARE}/images/${image.name}.tar`;
  await mkdir(dirname(join(dir, 'root', archive)), { recursive: true });
  await writeFile(join(dir, 'root', archive), bytes);
  return { name: image.name, reference: imageReference(image.name, version), archive: `/${archive}`, digest };
}

function programOf(
  { components, packages, minor }: LayerInputs,
  from: string,
  packagePath = '',
): { path: string; version: string } {
  const { owner, program } = sourceOf(from, minor);
  const unpacked = owner === 'package' ? packages.get(program) : undefined;
  // A tag cannot hold what a Debian version can: "0.2.1-2+b14", "1:2.3~rc1" (OCI Distribution, "tag").
  if (unpacked)
    return { path: join(unpacked.dir, packagePath), version: unpacked.version.replace(/[^\w.-]/g, '-') };
  const component = components.get(owner);
  const path = component?.programs.get(program);
  if (component && path) return { path, version: component.component.version };
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot place ${from}: nothing of that name was built, expected a component or a locked package`,
  );
}

function versionsOf({ components, packages }: LayerInputs): Record<string, string> {
  const built = [...components.values()].map(({ component }) => [component.name, component.version]);
  const unpacked = [...packages].map(([name, { version }]) => [name, version]);
  return Object.fromEntries([...built, ...unpacked].sort());
}

async function placeProgram(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, 0o755);
}

/** Puts references into the manifests: ${image:NAME}. Everything else in ${…} is the cluster's, and plinthd's to fill in. */
async function fillReferences(folder: string, images: LayerManifest['images']): Promise<void> {
  for (const name of await readdir(join(folder, 'manifests'))) {
    const path = join(folder, 'manifests', name);
    const text = await readFile(path, 'utf8');
    const filled = text.replaceAll(/\$\{image:([\w-]+)\}/g, (_match, wanted: string) => {
      const found = images.find((image) => image.name === wanted);
      if (found) return found.reference;
      throw new PlinthError(
        'image/spec-invalid',
        `Cannot fill in ${name}: it names the image ${wanted}, expected one of the layer`,
      );
    });
    await writeFile(path, filled);
  }
}

/** Modes must not depend on how the repository was checked out. Programs have got theirs. */
async function openModes(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile() && !/\/usr\/(bin|libexec)\//.test(path)) await chmod(path, 0o644);
  }
}
