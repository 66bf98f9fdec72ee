import { z } from 'zod';
import { rawAt, textOf } from './raw.ts';

/** Where plinthd of a node answers, and whom to expect there. */
export interface PeerView {
  readonly nodeId: string;
  readonly address: string;
}

/** The members of the cluster, as control planes publish them in one ConfigMap (see docs/adr/0022). */
export interface PeersView {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly peers: ReadonlyMap<string, PeerView>;
}

const peersSchema = z
  .array(z.object({ name: z.string().max(253), nodeId: z.string().max(128), address: z.string().max(64) }))
  .max(20_000);

/** projectPeers reads the members; undefined where the text is not theirs. */
export function projectPeers(raw: unknown): PeersView | undefined {
  const metadata = rawAt(raw, 'metadata');
  let value: unknown;
  try {
    value = JSON.parse(textOf(rawAt(raw, 'data')['peers']));
  } catch {
    return undefined;
  }
  const parsed = peersSchema.safeParse(value);
  if (!parsed.success) return undefined;
  return {
    ...{ uid: textOf(metadata['uid']), resourceVersion: textOf(metadata['resourceVersion']) },
    peers: new Map(parsed.data.map(({ name, nodeId, address }) => [name, { nodeId, address }])),
  };
}
