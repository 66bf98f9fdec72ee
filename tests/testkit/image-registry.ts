import { join } from 'node:path';
import { serveImage, shellLayer } from '@plinth/agent/testing';
import type { BootLab } from './boot-lab.ts';
import { HOST_SEEN_BY_GUEST } from './guest-network.ts';
import { makeRegistryCertificate } from './registry-certificate.ts';

/** A registry on this computer that machines reach, with one image: a shell and a few tools. */
export interface ImageRegistry extends AsyncDisposable {
  /** The image as machines call it, by its digest. */
  readonly image: string;
  /** The document of kind Registries that machines need for it. */
  readonly document: object;
}

/** startImageRegistry serves the image over TLS on loopback. */
export async function startImageRegistry(lab: BootLab): Promise<ImageRegistry> {
  const layer = await shellLayer();
  if (!layer) throw new Error('Cannot make an image: this computer lacks bash or other programs for it.');
  const tls = await makeRegistryCertificate(join(lab.scratch, 'registry'));
  const registry = await serveImage(
    {
      repository: 'plinth/tools',
      layer,
      config: { Entrypoint: ['/bin/bash', '--norc'], Env: ['PATH=/bin', 'PS1=$ '] },
    },
    { tls },
  );
  const host = `${HOST_SEEN_BY_GUEST}:${registry.port}`;
  return {
    image: `${host}/plinth/tools@${registry.digest}`,
    document: { kind: 'Registries', registries: [{ host, certificateAuthority: tls.cert }] },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}
