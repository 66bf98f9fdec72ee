import { PlinthError } from '@plinth/base';
import { type KubeConnection, type KubeRequest, parseStatus, statusError } from '@plinth/kube';
import type { Write } from '../../decide/decision.ts';
import { listOf, rawAt, textOf } from '../../view/project/raw.ts';
import type { EvictionTry, ReplaceTry } from '../../view/view.ts';
import type { FleetEvents } from '../observe/fleet-events.ts';
import type { TokenBucket } from '../queue/token-bucket.ts';
import type { Wait } from '../queue/wait.ts';
import type { FleetStore } from '../reflect/fleet-store.ts';
import { replaceNode } from '../replace/cluster-api.ts';
import { podRequest, type Step, stepsOf, taintRequest } from './requests.ts';

export interface WriterParts {
  readonly connection: KubeConnection;
  /** To the API server that has the Machines; absent: the same. */
  readonly machines?: KubeConnection;
  readonly store: FleetStore;
  readonly events: FleetEvents;
  /** Of all writes; the API server has other clients. */
  readonly writes: TokenBucket;
  readonly wait: Wait;
  readonly nowMs: () => number;
  /** Asked before each call: whoever does not lead any more writes nothing. */
  isLeading(): boolean;
  /** A call was answered with this status. */
  called(verb: string, status: number): void;
}

/** What came of the writes of one decision. */
export type Outcome =
  | { readonly kind: 'written' }
  /** Decided on something that is no more: decide anew. */
  | { readonly kind: 'stale'; readonly message: string };

export interface Writer {
  /**
   * Writes in their order; the first that fails ends it. @param evictions how many pods may be moved, of the policy of the node
   * @throws kube/…, fleet/not-leading
   */
  write(writes: readonly Write[], evictions: TokenBucket, signal: AbortSignal): Promise<Outcome>;
  readonly evictionTries: ReadonlyMap<string, EvictionTry>;
  /** By UID of the Node. */
  readonly replaceTries: ReadonlyMap<string, ReplaceTry>;
}

const TRIES_LIMIT = 20_000;
const STALE = [404, 409, 410];

/** openWriter carries out what was decided. */
export function openWriter(parts: WriterParts): Writer {
  const { connection, store, events, nowMs, wait } = parts;
  const tries = new Map<string, EvictionTry>();
  const replaceTries = new Map<string, ReplaceTry>();

  async function token(bucket: TokenBucket, signal: AbortSignal): Promise<void> {
    for (let waitMs = bucket.take(); waitMs > 0; waitMs = bucket.take()) await wait(waitMs, signal);
  }

  async function call(asked: KubeRequest, verb: string, signal: AbortSignal, to = connection) {
    await token(parts.writes, signal);
    signal.throwIfAborted();
    if (!parts.isLeading())
      throw new PlinthError(
        'fleet/not-leading',
        'Cannot write: another operator may lead, expected the lease',
      );
    const answer = await to.call(asked, signal);
    parts.called(verb, answer.status);
    return answer;
  }

  /** @returns the object as it is now; undefined: it was not as it was decided on */
  async function run(step: Step, at: { uid: string; resourceVersion: string }, signal: AbortSignal) {
    const asked = step.request(at);
    const answer = await call(asked, `${asked.method} ${step.kind}`, signal);
    if (STALE.includes(answer.status)) return { stale: parseStatus(answer.text).message };
    if (answer.status >= 300) throw statusError(asked, answer);
    const raw: unknown = JSON.parse(answer.text);
    store[step.kind].learn(raw);
    const metadata = rawAt(raw, 'metadata');
    return { now: { uid: textOf(metadata['uid']), resourceVersion: textOf(metadata['resourceVersion']) } };
  }

  /** @param left versions that this decision's own writes left */
  async function one(
    write: Write,
    evictions: TokenBucket,
    left: Map<string, { uid: string; resourceVersion: string }>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    switch (write.do) {
      case 'event':
        events.say(write);
        return undefined;
      case 'evict':
      case 'delete-pod':
        if (write.do === 'evict') await token(evictions, signal);
        return movePod(write, signal);
      case 'prove-gone':
        return proveGone(write, signal);
      case 'replace-node':
        return replace(write, signal);
      case 'taint':
      case 'untaint':
        return taint(write, signal);
      default: {
        const name = 'at' in write ? write.at.name : write.name;
        let at = 'at' in write ? write.at : { uid: '', resourceVersion: '' };
        if (write.do === 'node-update' && write.follows) at = { ...at, ...left.get(name) };
        for (const step of stepsOf(write)) {
          const done = await run(step, at, signal);
          if (done.now === undefined) return done.stale || 'the object has changed';
          at = { ...at, ...done.now };
          if (write.do === 'node-update') left.set(name, done.now);
        }
        return undefined;
      }
    }
  }

  async function proveGone({ node, uid }: Extract<Write, { do: 'prove-gone' }>, signal: AbortSignal) {
    // A list, which the operator may ask for anyway; one without a version is of now.
    const query = { fieldSelector: `metadata.name=${node}` };
    const asked = { method: 'GET', path: '/api/v1/nodes', query } as const;
    const answer = await call(asked, 'GET nodes', signal);
    if (answer.status >= 300) throw statusError(asked, answer);
    const found = listOf(rawAt(JSON.parse(answer.text))['items']);
    return found.some((each) => textOf(rawAt(each, 'metadata')['uid']) === uid)
      ? 'the Node is there'
      : undefined;
  }

  /** As with an eviction, what came of it is for the next decision. */
  async function replace(write: Extract<Write, { do: 'replace-node' }>, signal: AbortSignal) {
    const node = store.nodes.items.get(write.node);
    if (node?.uid !== write.uid) return 'the Node has changed';
    const tried = await replaceNode(write, node, (asked, verb) => call(asked, verb, signal, parts.machines));
    if (replaceTries.size >= TRIES_LIMIT) replaceTries.delete(replaceTries.keys().next().value ?? '');
    replaceTries.delete(write.uid);
    replaceTries.set(write.uid, { ...tried, atMs: nowMs() });
    return undefined;
  }

  async function taint(write: Extract<Write, { do: 'taint' | 'untaint' }>, signal: AbortSignal) {
    const node = store.nodes.items.get(write.at.name);
    if (node?.uid !== write.at.uid || node.resourceVersion !== write.at.resourceVersion)
      return 'the Node has changed';
    const asked = taintRequest(write, node);
    const answer = await call(asked, 'PATCH nodes', signal);
    if (STALE.includes(answer.status)) return parseStatus(answer.text).message || 'the Node has changed';
    if (answer.status >= 300) throw statusError(asked, answer);
    store.nodes.learn(JSON.parse(answer.text));
    return undefined;
  }

  /** A refused eviction is what a decision has to know, not a failure of the write. */
  async function movePod(write: Extract<Write, { do: 'evict' | 'delete-pod' }>, signal: AbortSignal) {
    const verb = write.do === 'evict' ? 'POST evictions' : 'DELETE pods';
    const { status, text } = await call(podRequest(write), verb, signal);
    if (tries.size >= TRIES_LIMIT) tries.delete(tries.keys().next().value ?? '');
    const message = status < 300 ? '' : parseStatus(text).message;
    // Set anew, so that the oldest is the first.
    tries.delete(write.uid);
    tries.set(write.uid, { podUid: write.uid, status, message, atMs: nowMs() });
    return undefined;
  }

  return {
    evictionTries: tries,
    replaceTries,
    async write(writes, evictions, signal) {
      const left = new Map<string, { uid: string; resourceVersion: string }>();
      for (const write of writes) {
        const stale = await one(write, evictions, left, signal);
        if (stale !== undefined) return { kind: 'stale', message: `${write.do}: ${stale}` };
      }
      return { kind: 'written' };
    },
  };
}
