import { PEERS } from '../../install/names.ts';
import { type PlacedBudget, projectBudget, projectNode } from '../../view/project/project-core.ts';
import { type OwnKind, ownKinds } from '../../view/project/project-own.ts';
import { type PeersView, projectPeers } from '../../view/project/project-peers.ts';
import type { NodeView, Requests, Stored, StoredLedger, StoredNodeUpdate } from '../../view/view.ts';
import { openAttachments } from './attachments.ts';
import type { Heard, Identified } from './mirror.ts';
import { openReflector, type Reflector, type ReflectorParts } from './reflector.ts';

/** Who is told of what has changed. */
export interface StoreEvents {
  readonly node: Heard<NodeView>;
  readonly nodeUpdate: Heard<StoredNodeUpdate>;
  readonly ledger: Heard<StoredLedger>;
  /** Anything else that policies are decided on: releases, policies, rollouts, windows, gates, budgets. */
  readonly rule: (
    kind: string,
    name: string,
    now: Identified | undefined,
    before: Identified | undefined,
  ) => void;
  /** What is attached to a node. */
  readonly attachment: (node: string) => void;
}

export type FleetStore = ReturnType<typeof openFleetStore>;

/** openFleetStore mirrors every kind that decisions look at. @param requestsOf what the pods of a node ask for, where it was counted */
export function openFleetStore(
  parts: ReflectorParts,
  events: StoreEvents,
  requestsOf: (node: string) => Requests | undefined,
) {
  const own = <Spec, Status>(
    { plural, path, project }: OwnKind<Spec, Status>,
    heard: Heard<Stored<Spec, Status>> = (key, now, before) => events.rule(plural, key, now, before),
  ): Reflector<Stored<Spec, Status>> =>
    openReflector({ path, key: ({ name }) => name, project }, parts, heard);
  const kinds = {
    releases: own(ownKinds.releases),
    policies: own(ownKinds.policies),
    rollouts: own(ownKinds.rollouts),
    windows: own(ownKinds.windows),
    gates: own(ownKinds.gates),
    ledgers: own(ownKinds.ledgers, events.ledger),
    nodeUpdates: own(ownKinds.nodeUpdates, events.nodeUpdate),
    nodes: openReflector<NodeView>(
      {
        ...{ path: '/api/v1/nodes', key: ({ name }) => name },
        project: (raw) => {
          const node = projectNode(raw);
          return { ...node, requested: requestsOf(node.name) };
        },
      },
      parts,
      events.node,
    ),
    budgets: openReflector<PlacedBudget>(
      {
        path: '/apis/policy/v1/poddisruptionbudgets',
        ...{ key: ({ namespace, name }) => `${namespace}/${name}`, project: projectBudget },
      },
      parts,
      (key, now, before) => events.rule('budgets', key, now, before),
    ),
    peers: openReflector<PeersView>(
      {
        path: `/api/v1/namespaces/${PEERS.namespace}/configmaps`,
        query: { fieldSelector: `metadata.name=${PEERS.name}` },
        ...{ key: () => PEERS.name, project: projectPeers },
      },
      parts,
      () => undefined,
    ),
  };
  const attachments = openAttachments(parts, events.attachment);
  const all: readonly Pick<Reflector<Identified>, 'isSynced' | 'unreadable' | 'lists' | 'run'>[] = [
    ...Object.values(kinds),
    attachments.reflector,
  ];
  return {
    ...kinds,
    /** Names of VolumeAttachments by node: of every Node that is known, once they were listed. */
    attachments: attachments.byNode,
    /** Every kind was listed, after this process began to lead. */
    isSynced: () => all.every((reflector) => reflector.isSynced),
    unreadable: () => all.reduce((sum, { unreadable }) => sum + unreadable.size, 0),
    lists: () => all.reduce((sum, { lists }) => sum + lists, 0),
    run: async (signal: AbortSignal) => {
      await Promise.all(all.map((reflector) => reflector.run(signal)));
    },
  };
}
