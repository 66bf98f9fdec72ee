import { decodeText } from '@plinth/formats';
import { z } from 'zod';
import type { NodeFacts } from './judgement.ts';

const FACTS_LIMIT_BYTES = 64 * 1024;
const word = z.string().max(100);

const schema = z.looseObject({
  format: z.literal(1),
  nodeId: word,
  bootId: word,
  softRebooted: z.boolean(),
  bootedRootHash: word,
  rootHash: word,
  selinux: word,
  lockdown: word,
  ipe: z.looseObject({
    enforcing: word,
    policies: z.array(z.looseObject({ name: word, version: word, active: word })).max(64),
  }),
  checks: z.array(z.looseObject({ id: word, verdict: word, observed: z.string().max(1000) })).max(200),
});

/** readFacts reads what a node says of itself; undefined for bytes that are no such thing. */
export function readFacts(bytes: Uint8Array): NodeFacts | undefined {
  if (bytes.length > FACTS_LIMIT_BYTES) return undefined;
  try {
    return schema.safeParse(JSON.parse(decodeText(bytes))).data;
  } catch {
    return undefined;
  }
}
