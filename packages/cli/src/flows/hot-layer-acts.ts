import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GetHotLayerResponse, type HotLayer, HotLayerPhase, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { hashFile, ioError } from '@plinth/host';
import { hotLayerManifestOf, parseHotLayer } from '@plinth/updates';
import { connectContext } from '../client/connect-context.ts';
import { hotLayerPhaseName, hotLayerResult } from '../client/show-hot-layer.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';
import { meantNode } from './node-acts.ts';

const UPLOAD_TIMEOUT_MS = 1_800_000;
const CALL_TIMEOUT_MS = 20_000;
const POLL_MS = 2_000;

export interface StageHotLayerOptions {
  /** Undefined: the node's repository is asked. */
  readonly layer: string | undefined;
  readonly manifest: string | undefined;
  readonly context: string | undefined;
}

export interface FollowOptions {
  readonly context: string | undefined;
  /** Seconds. */
  readonly timeout: number;
}

/**
 * stageHotLayer sends a layer and its manifest to a node, or has the node fetch the newest of its repository.
 * @throws hot-layer/…, update/…, api/…, host/io
 */
export async function stageHotLayer(
  options: StageHotLayerOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const name = await meantNode(options.context, context);
  using node = await connectContext(name, context.env, UPLOAD_TIMEOUT_MS);
  const { layer } = options;
  const { serial, baseVersion } =
    layer === undefined
      ? await context.progress.step(`Node "${name}" fetches the newest hot layer`, () =>
          node.hotLayer.fetch(UPLOAD_TIMEOUT_MS),
        )
      : await sendHotLayer(node, { layer, manifest: options.manifest, name }, context);
  return {
    data: { node: name, serial, base: baseVersion },
    view: [
      plainText(`Node "${name}" has hot layer ${serial} for ${baseVersion}; it does not run yet.`),
      nextCommands([['plinth hot-layer activate', 'merge it']]),
    ],
  };
}

async function sendHotLayer(
  node: NodeClient,
  { layer, manifest: given, name }: { layer: string; manifest: string | undefined; name: string },
  context: CommandContext,
): Promise<HotLayer> {
  const path = given ?? hotLayerManifestOf(layer);
  const manifest = await readFile(path).catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  const { serial } = parseHotLayer(manifest.toString('utf8'), path);
  const { sha256, sizeBytes } = await hashFile(layer);
  return context.progress.step(`Send hot layer ${serial} to node "${name}"`, (step) =>
    node.hotLayer.stage({
      ...{ manifest, sha256, sizeBytes, timeoutMs: UPLOAD_TIMEOUT_MS },
      content: createReadStream(layer),
      onProgress: (sentBytes) => step.note(`${formatBytes(sentBytes)} of ${formatBytes(sizeBytes)}`),
    }),
  );
}

/** activateHotLayer has a node merge what is staged, and follows it to its end. @throws hot-layer/…, api/… */
export async function activateHotLayer(
  options: FollowOptions,
  context: CommandContext,
): Promise<CommandResult> {
  return change(options, context, {
    verb: 'Activate',
    serialOf: ({ staged }) => staged?.serial,
    begin: (node, serial) => node.hotLayer.activate(serial),
    isDone: ({ phase, layer }, serial) => phase === HotLayerPhase.ACTIVE && layer?.serial === serial,
  });
}

/** retireHotLayer has a node take its layer away, and follows it to its end. @throws hot-layer/…, api/… */
export async function retireHotLayer(
  options: FollowOptions,
  context: CommandContext,
): Promise<CommandResult> {
  return change(options, context, {
    verb: 'Retire',
    serialOf: ({ layer }) => layer?.serial,
    begin: (node, serial) => node.hotLayer.retire(serial),
    isDone: ({ phase }) => phase === HotLayerPhase.NONE,
  });
}

interface Change {
  readonly verb: 'Activate' | 'Retire';
  serialOf(answer: GetHotLayerResponse): number | undefined;
  begin(node: NodeClient, serial: number): Promise<void>;
  isDone(answer: GetHotLayerResponse, serial: number): boolean;
}

async function change(
  options: FollowOptions,
  context: CommandContext,
  { verb, serialOf, begin, isDone }: Change,
): Promise<CommandResult> {
  const name = await meantNode(options.context, context);
  using node = await connectContext(name, context.env, CALL_TIMEOUT_MS);
  const before = await node.hotLayer.get();
  const serial = serialOf(before);
  if (serial === undefined)
    throw new PlinthError(
      'hot-layer/not-staged',
      `Cannot ${verb.toLowerCase()} a hot layer on node "${name}": it has none, expected one`,
    );
  await begin(node, serial);
  const answer = await context.progress.step(
    `${verb} hot layer ${serial} on node "${name}"`,
    async (step) => {
      const deadline = performance.now() + options.timeout * 1000;
      for (;;) {
        await sleep(POLL_MS, undefined, { signal: context.signal });
        // plinthd restarts itself when its own libraries are replaced: silence for a while is no failure.
        const now = await node.hotLayer.get().catch(() => undefined);
        if (now) step.note(hotLayerPhaseName(now.phase));
        if (now && isDone(now, serial) && !now.busy) return now;
        const { failure } = now ?? {};
        if (now && !now.busy && failure && failure.serial === serial && isNews(failure, before))
          throw new PlinthError('hot-layer/failed', `Node "${name}": ${failure.message}`, {
            hint: failure.code,
          });
        if (performance.now() > deadline)
          throw new PlinthError(
            'hot-layer/failed',
            `Cannot wait any longer for node "${name}": ${now ? hotLayerPhaseName(now.phase) : 'it is silent'} after ${options.timeout} s; it goes on`,
            { hint: 'See "plinth get hot-layer".' },
          );
      }
    },
  );
  return hotLayerResult(answer);
}

function isNews(failure: GetHotLayerResponse['failure'], { failure: old }: GetHotLayerResponse): boolean {
  return failure?.at?.seconds !== old?.at?.seconds || failure?.at?.nanos !== old?.at?.nanos;
}
