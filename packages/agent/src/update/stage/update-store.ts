import { z } from 'zod';
import { parseJson } from '../../https/call-https.ts';
import { inTurn } from '../../in-turn.ts';
import type { StateStore } from '../../sys/state-store.ts';
import { activatedSchema } from '../activate/activated.ts';
import { contractSchema } from '../health/contract-record.ts';
import { fallBackSchema } from '../health/fall-back-record.ts';
import { lastCheckSchema } from '../service/last-check.ts';
import type { UpdateState, UpdateStore } from '../types.ts';
import { keptStore } from './kept-store.ts';

/** Below the state folder of plinthd. */
const UPDATE_STATE = 'update/state.json';

const progressSchema = z.object({
  phase: z.enum(['metadata', 'prepare', 'compare', 'write', 'verify', 'finish', 'staged']),
  version: z.string(),
  ...{ bytesDone: z.number(), bytesTotal: z.number(), bytesCopied: z.number() },
  ...{ bytesFetched: z.number(), bytesSaved: z.number() },
});

const stageSchema = z.object({
  source: z.object({
    addresses: z.array(z.string()),
    channel: z.string(),
    caPem: z.string().exactOptional(),
  }),
  wanted: z.string().exactOptional(),
  limits: z
    .object({ bytesPerSecond: z.number().exactOptional(), stallMs: z.number().exactOptional() })
    .exactOptional(),
  by: z.string(),
  askedAtMs: z.number(),
  state: z.enum(['running', 'staged', 'failed', 'cancelled']),
  version: z.string().exactOptional(),
  rootHash: z.string().exactOptional(),
  kubernetes: z.array(z.string()).exactOptional(),
  progress: progressSchema,
  failure: z.object({ code: z.string(), message: z.string() }).exactOptional(),
});

const failedSchema = z.object({
  version: z.string(),
  atMs: z.number(),
  reason: z.string(),
  code: z.enum(['update/fell-back', 'update/rolled-back']).exactOptional(),
  by: z.string().exactOptional(),
});

/** What cannot be read is dropped by itself: a version that failed here is not forgotten because something else is torn. */
const stateSchema = z.object({
  stage: stageSchema.optional().catch(undefined),
  failed: z.array(failedSchema).catch([]),
  lastCheck: lastCheckSchema.optional().catch(undefined),
  activated: activatedSchema.optional().catch(undefined),
  contract: contractSchema.optional().catch(undefined),
  fallBack: fallBackSchema.optional().catch(undefined),
});

/** openUpdateStore is the one file of UpdateState. A file that is none of it, or that cannot be read, is as if it were not there. */
export function openUpdateStore(files: Pick<StateStore, 'read' | 'write'>): UpdateStore {
  const store = keptStore(files);
  const turn = inTurn();
  const read = async (): Promise<UpdateState> => {
    const bytes = await store.read(UPDATE_STATE).catch(() => undefined);
    const parsed = stateSchema.safeParse(bytes === undefined ? {} : parseJson(bytes));
    if (!parsed.success) return { failed: [] };
    const { failed, ...rest } = parsed.data;
    const there = Object.entries(rest).filter(([, value]) => value !== undefined);
    return { failed, ...Object.fromEntries(there) };
  };
  return {
    read: () => turn(read),
    change: (change) =>
      turn(async () => {
        const next = change(await read());
        await store.write(UPDATE_STATE, Buffer.from(`${JSON.stringify(next)}\n`));
        return next;
      }),
  };
}
