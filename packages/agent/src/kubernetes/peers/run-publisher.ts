import { repeat, type Sleep } from '../../repeat.ts';
import type { InvitedNode } from '../access/cluster-access.ts';
import type { KubeClient } from '../access/kube-client.ts';
import { keepNodeRecord, listNodeRecords } from '../access/node-records.ts';
import { peerListText, publishPeers, readNodeLabels } from './peer-list.ts';

/** A new member is found by name after that. */
const EVERY_MS = 15_000;
const AT_MOST_MS = 60_000;

export interface PublisherOptions {
  readonly signal: AbortSignal;
  readonly sleep?: Sleep;
  /** Hears when the API server cannot be asked, and (undefined) when it can again. */
  readonly onFailure: (reason: unknown) => void;
}

/** runPublisher keeps the list of peers as it should be, on control planes, until the signal aborts. It does not throw. */
export async function runPublisher(
  client: KubeClient,
  self: InvitedNode,
  options: PublisherOptions,
): Promise<void> {
  await repeat(() => publishRound(client, self), { everyMs: EVERY_MS, atMostMs: AT_MOST_MS, ...options });
}

/** publishRound publishes the members of now. Errors: see KubeClient. */
export async function publishRound(client: KubeClient, self: InvitedNode): Promise<void> {
  let records = await listNodeRecords(client);
  // The first control plane was never invited, so it says itself who it is.
  if (!records.some(({ nodeName }) => nodeName === self.nodeName)) {
    await keepNodeRecord(client, self);
    records = [...records, self];
  }
  await publishPeers(client, peerListText(records, await readNodeLabels(client)));
}
