import { createHash } from 'node:crypto';
import { messageOf } from '@plinth/base';
import { type KubeConnection, statusError } from '@plinth/kube';
import { FLEET_GROUP, FLEET_VERSION } from '../../crd/index.ts';
import type { Write } from '../../decide/decision.ts';
import type { TokenBucket } from '../queue/token-bucket.ts';

type SaidEvent = Extract<Write, { readonly do: 'event' }>;

export interface FleetEvents {
  /** Tells people; never waits, never fails. */
  say(event: SaidEvent): void;
}

export interface FleetEventsParts {
  readonly connection: KubeConnection;
  readonly namespace: string;
  /** The pod that tells. */
  readonly self: string;
  readonly bucket: TokenBucket;
  readonly nowMs: () => number;
  say(text: string): void;
}

const NOTE_LIMIT = 1000;
/** What was said of the same object within this time is said once. */
const SAME_MS = 10 * 60_000;
const KEPT = 4000;

/**
 * openFleetEvents writes Events of events.k8s.io. What is said again soon is not written again, and beyond the bucket Events are let fall: they
 * are for people, and the truth stands in the objects.
 */
export function openFleetEvents(parts: FleetEventsParts, signal: AbortSignal): FleetEvents {
  const { connection, namespace, self, bucket, nowMs } = parts;
  const said = new Map<string, number>();
  return {
    say(event) {
      const { on, reason, message, type } = event;
      const key = createHash('sha256')
        .update(JSON.stringify([on.uid, reason, message]))
        .digest('hex');
      const atMs = nowMs();
      if (atMs - (said.get(key) ?? Number.NEGATIVE_INFINITY) < SAME_MS || bucket.take() > 0) return;
      if (said.size >= KEPT) said.delete(said.keys().next().value ?? '');
      said.set(key, atMs);
      const isNode = on.kind === 'Node';
      const asked = {
        method: 'POST',
        // Objects of the cluster have their Events in "default", as those of Nodes.
        path: '/apis/events.k8s.io/v1/namespaces/default/events',
        body: {
          ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event' },
          metadata: {
            name: `${on.name.slice(0, 200)}.${key.slice(0, 12)}${atMs.toString(16)}`,
            namespace: 'default',
          },
          eventTime: `${new Date(atMs).toISOString().replace('Z', '000Z')}`,
          ...{
            reportingController: 'plinth.dev/fleet',
            reportingInstance: `${namespace}/${self}`.slice(0, 128),
          },
          ...{
            action: reason.slice(0, 128),
            reason: reason.slice(0, 128),
            type,
            note: message.slice(0, NOTE_LIMIT),
          },
          regarding: {
            ...{
              apiVersion: isNode ? 'v1' : `${FLEET_GROUP}/${FLEET_VERSION}`,
              kind: on.kind,
              name: on.name,
            },
            // kubectl describes a Node by its name, which kubelets write as its uid.
            uid: isNode ? on.name : on.uid,
          },
        },
      } as const;
      connection.call(asked, signal).then(
        (answer) => answer.status >= 300 && parts.say(messageOf(statusError(asked, answer))),
        (cause: unknown) => signal.aborted || parts.say(`event: ${messageOf(cause)}`),
      );
    },
  };
}
