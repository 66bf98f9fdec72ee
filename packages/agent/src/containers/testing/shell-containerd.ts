import { findOsTree, type OsContainerd, startOsContainerd } from './os-containerd.ts';
import { shellLayer } from './shell-image.ts';
import { type ServedImage, serveImage } from './tiny-registry.ts';

const tree = await findOsTree();
const layer = await shellLayer();

/** Why no real containers can run on this machine; false when they can. For the option `skip` of a suite. */
export const noContainers: string | false =
  (!tree && 'no system is built on this machine') ||
  (!layer && 'this machine lacks programs for an image') ||
  (process.getuid?.() !== 0 && 'containers need root');

/** The containerd of the system that was built last, and an image with a shell that it can pull. */
export interface ShellContainerd extends OsContainerd {
  /** By its digest. */
  readonly image: string;
}

/** startShellContainerd starts both. @param config of the image, as serveImage takes it @param sign as serveImage takes it */
export async function startShellContainerd(
  config: object,
  sign?: ServedImage['sign'],
): Promise<ShellContainerd> {
  const repository = 'plinth/shell';
  const registry = await serveImage({
    ...{ repository, layer: layer ?? new Uint8Array(), config },
    ...(sign && { sign }),
  });
  try {
    const os = await startOsContainerd(tree ?? '', [registry.host]);
    return {
      ...os,
      image: `${registry.host}/${repository}@${registry.digest}`,
      async [Symbol.asyncDispose]() {
        await os[Symbol.asyncDispose]();
        await registry[Symbol.asyncDispose]();
      },
    };
  } catch (reason) {
    await registry[Symbol.asyncDispose]();
    throw reason;
  }
}
