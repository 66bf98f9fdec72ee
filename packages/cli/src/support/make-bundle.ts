import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { NodeClient } from '@plinth/api';
import { PlinthError, type Progress } from '@plinth/base';
import { writeTar } from '@plinth/formats';
import { mapParallel } from '@plinth/host';
import type { BundlePart } from './bundle-parts.ts';

interface AskedPart {
  readonly path: string;
  readonly what: string;
  readonly tookMs: number;
}

interface FailedPart extends AskedPart {
  readonly state: 'failed';
  readonly code: string;
  readonly reason: string;
}

interface HeldPart extends AskedPart {
  readonly state: 'collected';
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What became of one part. */
export type CollectedPart = FailedPart | (HeldPart & { readonly text: string });

/** Calls at once: a node that is asked for help may be a sick one. */
const AT_ONCE = 3;

/**
 * collectParts asks a node for every part, each within its time. What fails is named with its reason, and nothing else
 * fails with it. @throws cli/interrupted
 */
export async function collectParts(
  node: NodeClient,
  parts: readonly BundlePart[],
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly CollectedPart[]> {
  let done = 0;
  return mapParallel(parts, AT_ONCE, async (part) => {
    if (signal.aborted)
      throw new PlinthError('cli/interrupted', 'Cannot make the support bundle: interrupted');
    const collected = await collectPart(node, part);
    progress.note(`${++done} of ${parts.length}`);
    return collected;
  });
}

async function collectPart(node: NodeClient, part: BundlePart): Promise<CollectedPart> {
  const { path, what, timeoutMs } = part;
  const startedMs = performance.now();
  const tookMs = () => Math.round(performance.now() - startedMs);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(new PlinthError('api/timeout', `Cannot collect ${path}: no answer in ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
  });
  try {
    const text = await Promise.race([part.collect(node), late]);
    const bytes = Buffer.from(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { path, what, tookMs: tookMs(), state: 'collected', text, sizeBytes: bytes.length, sha256 };
  } catch (reason) {
    const { code, message } = PlinthError.from(reason, 'api/failed', `Cannot collect ${path}`);
    return { path, what, tookMs: tookMs(), state: 'failed', code, reason: message };
  } finally {
    clearTimeout(timer);
  }
}

/** What a bundle says about itself. */
export interface Manifest {
  readonly node: string;
  /** RFC 3339. */
  readonly madeAt: string;
  readonly tool: string;
  readonly parts: readonly (FailedPart | HeldPart)[];
}

/** manifestOf lists what is in a bundle and what is missing from it. */
export function manifestOf(
  node: string,
  madeAt: Date,
  tool: string,
  parts: readonly CollectedPart[],
): Manifest {
  return {
    ...{ node, madeAt: madeAt.toISOString(), tool },
    parts: parts.map((part) => {
      if (part.state === 'failed') return part;
      const { text: _text, ...rest } = part;
      return rest;
    }),
  };
}

/** packBundle makes a compressed archive of one folder, with the manifest first to be read. */
export function packBundle(folder: string, manifest: Manifest, parts: readonly CollectedPart[]): Uint8Array {
  const file = (path: string, text: string) => ({
    ...({ kind: 'file', mode: 0o600 } as const),
    path: `${folder}/${path}`,
    data: Buffer.from(text),
  });
  const archive = writeTar(
    [
      { kind: 'directory', path: folder, mode: 0o700 },
      file('manifest.json', `${JSON.stringify(manifest, undefined, 2)}\n`),
      ...parts.flatMap((part) => (part.state === 'collected' ? [file(part.path, part.text)] : [])),
    ],
    { mtimeSeconds: Math.floor(Date.parse(manifest.madeAt) / 1000) },
  );
  return gzipSync(archive);
}
