import { create, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { Content } from '../gen/containerd_pb.ts';
import { Images } from '../gen/images_pb.ts';
import { Transfer } from '../gen/transfer_pb.ts';
import { ImageStoreSchema, OCIRegistrySchema } from '../gen/transfer-types_pb.ts';
import { openRuntime, runtimeError } from '../runtime-client.ts';
import type { ImageSignature } from './judge-signatures.ts';

/** Where the registries of the machine config stand; see os/etc/containerd/config.toml. */
const REGISTRIES = '/etc/containerd/certs.d';
const FETCH_MS = 60_000;
const LIMITS = { manifestBytes: 256 * 1024, payloadBytes: 64 * 1024, signatures: 32 } as const;
const PAYLOAD = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';

const manifestSchema = z.object({
  layers: z
    .array(
      z.object({
        mediaType: z.string(),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
        size: z.int().min(0),
        annotations: z.record(z.string(), z.string()).optional(),
      }),
    )
    .max(LIMITS.signatures),
});

/** Gives the signatures that the registry of an image has of it. */
export interface SignatureSource {
  /**
   * @param image by its digest
   * @throws containers/runtime-unreachable, containers/failed, containers/image-invalid
   */
  of(image: string): Promise<readonly ImageSignature[]>;
  close(): void;
}

/**
 * openSignatures gives the signatures that cosign puts beside an image: an image of its own, named by the digest of the one
 * it is of, whose layers are what was signed. containerd fetches it, from the mirrors and with the credentials that every
 * image comes by, and does not unpack it.
 */
export function openSignatures(socket?: string, registries = REGISTRIES): SignatureSource {
  const { transport, ask, close } = openRuntime(socket);
  const content = createClient(Content, transport);
  const images = createClient(Images, transport);
  const transfers = createClient(Transfer, transport);

  async function read(digest: string, limitBytes: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    try {
      for await (const { data } of content.read({ digest })) {
        sizeBytes += data.length;
        if (sizeBytes > limitBytes) throw invalid(`a part of it has more than ${limitBytes} bytes`);
        chunks.push(data);
      }
    } catch (reason) {
      throw reason instanceof PlinthError ? reason : runtimeError('read a signature', reason);
    }
    return Buffer.concat(chunks);
  }

  /** False when the registry has none. */
  async function fetched(name: string): Promise<boolean> {
    try {
      await transfers.transfer(
        {
          source: packed(
            'OCIRegistry',
            toBinary(
              OCIRegistrySchema,
              create(OCIRegistrySchema, { reference: name, resolver: { hostDir: registries } }),
            ),
          ),
          destination: packed('ImageStore', toBinary(ImageStoreSchema, create(ImageStoreSchema, { name }))),
        },
        { timeoutMs: FETCH_MS },
      );
      return true;
    } catch (reason) {
      if (ConnectError.from(reason).code === Code.NotFound) return false;
      throw runtimeError('fetch the signature of an image', reason);
    }
  }

  return {
    async of(image) {
      const name = signatureName(image);
      if (!(await fetched(name))) return [];
      try {
        const { image: found } = await ask('look for a signature', images.get({ name }));
        const { layers } = parse(await read(found?.target?.digest ?? '', LIMITS.manifestBytes));
        const signatures: ImageSignature[] = [];
        for (const { mediaType, digest, size, annotations } of layers) {
          const signature = annotations?.[SIGNATURE];
          if (mediaType !== PAYLOAD || signature === undefined || size > LIMITS.payloadBytes) continue;
          signatures.push({
            payload: await read(digest, LIMITS.payloadBytes),
            signature: Buffer.from(signature, 'base64'),
          });
        }
        return signatures;
      } finally {
        // It is asked for anew each time, and is no image that anybody could run.
        await images.delete({ name }).catch(() => {});
      }
    },
    close,
  };
}

/** signatureName is where cosign puts the signatures of an image: "host/tools@sha256:ab…" → "host/tools:sha256-ab….sig". */
export function signatureName(image: string): string {
  const [, repository = '', hash = ''] = /^(.*?)(?::[^:/@]+)?@sha256:([0-9a-f]{64})$/.exec(image) ?? [];
  if (repository === '') throw invalid(`${image} names no digest`);
  return `${repository}:sha256-${hash}.sig`;
}

function packed(name: 'OCIRegistry' | 'ImageStore', value: Uint8Array): Any {
  return create(AnySchema, { typeUrl: `containerd.types.transfer.${name}`, value });
}

function parse(bytes: Buffer): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    throw invalid('its manifest is not that of a signature');
  }
}

function invalid(state: string): PlinthError {
  return new PlinthError(
    'containers/image-invalid',
    `Cannot use the signature of an image: ${state}, expected one as cosign makes it`,
  );
}
