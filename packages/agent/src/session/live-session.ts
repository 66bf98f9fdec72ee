import { messageOf } from '@plinth/base';
import type { CriClient } from '../containers/cri-client.ts';
import type { ImageConfig } from '../containers/own/image-config.ts';
import { fullSpec, type OciSpec, viewSpec } from '../containers/own/oci-spec.ts';
import type { OwnContainers } from '../containers/own/own-containers.ts';
import type { ContainerPipes } from '../containers/own/pipes.ts';
import { type Recorder, RecordingFull } from './recorder.ts';
import { Screen } from './screen.ts';
import type { SessionPlan } from './session-state.ts';

export const OWNER = 'session';
/** A user that owns nothing and that nothing else is: beside those of packages, of systemd and of usual images. */
export const VIEWER_ID = 61_000;
const RESOURCES = { memoryBytes: 512 * 1024 ** 2, processes: 512 };
/** The node ends it by itself; this is for a node whose plinthd does not come up any more. */
const GRACE_MS = 60_000;

/** What the node has for a session. */
export interface NodeFacts {
  /** Groups whose files the view may read besides, those of the journal. */
  readonly viewGroups: readonly number[];
  /** Every capability there is. */
  readonly capabilities: readonly string[];
}

export interface LiveParts {
  readonly cri: Pick<CriClient, 'image' | 'pull'>;
  readonly own: OwnContainers;
  readonly facts: NodeFacts;
}

/** containerId is the id a session has in the runtime. */
export function containerId(sessionId: string): string {
  return `session-${sessionId}`;
}

/** A session whose container runs. */
export interface LiveSession {
  readonly screen: Screen;
  /** Fulfilled with the reason when its shell or its recording has ended. Never rejects. */
  readonly over: Promise<string>;
  /** Lets go of what it still shows, and of a reader who does not take it. */
  discard(): void;
  /** Stops waiting for its end: it has been ended. */
  leave(): void;
  /** Types, after it is recorded. */
  type(bytes: Uint8Array): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
}

/**
 * startLive starts the container of a session and shows what it writes. What is shown and typed is recorded first.
 * @throws containers/…
 */
export async function startLive(
  parts: LiveParts,
  session: { readonly id: string; readonly plan: SessionPlan },
  pipes: ContainerPipes,
  recorder: Recorder,
): Promise<LiveSession> {
  const { own } = parts;
  const { plan } = session;
  const id = containerId(session.id);
  const screen = new Screen();
  const stop = new AbortController();
  let full = (_because: string): void => {};
  const broken = new Promise<string>((resolve) => {
    full = resolve;
  });
  const recordingFailed = (reason: unknown) =>
    full(
      reason instanceof RecordingFull
        ? reason.message
        : `its recording cannot be written: ${messageOf(reason)}`,
    );
  await own.start({
    ...{ id, owner: OWNER, image: plan.image, longestMs: plan.ttlMs + GRACE_MS },
    domain: plan.level === 'full' ? 'session_full_t' : 'session_view_t',
    io: { stdin: pipes.stdin, stdout: pipes.stdout, stderr: '', terminal: true },
    spec: (image) => specOf(plan, image, parts.facts),
  });
  let discarding = false;
  void (async () => {
    // To the end, in any case: the runtime cannot let go of a container whose output nobody takes.
    for await (const chunk of pipes.output) {
      if (discarding) continue;
      try {
        await recorder.shown(chunk);
        await screen.show(chunk);
      } catch (reason) {
        discarding = true;
        recordingFailed(reason);
      }
    }
  })().catch(() => {}); // the pipe was closed
  const ended = own.wait(id, stop.signal).then(
    (exitCode) => `its shell ended${exitCode === undefined ? '' : ` with exit code ${exitCode}`}`,
    () => 'it was ended',
  );
  return {
    screen,
    over: Promise.race([ended, broken]).finally(() => stop.abort()),
    discard() {
      discarding = true;
      screen.close();
    },
    leave: () => stop.abort(),
    async type(bytes) {
      try {
        await recorder.typed(bytes);
      } catch (reason) {
        recordingFailed(reason);
        return;
      }
      await pipes.type(bytes);
    },
    async resize(columns, rows) {
      await recorder.resized(columns, rows).catch(recordingFailed);
      await own.resize(id, columns, rows);
    },
  };
}

function specOf({ level, terminal }: SessionPlan, image: ImageConfig, facts: NodeFacts): OciSpec {
  const { entrypoint, command, env, folder } = image;
  const process = {
    args: [...entrypoint, ...command],
    env: [...env.filter((each) => !each.startsWith('TERM=')), `TERM=${terminal.kind}`],
    folder,
    terminal,
  };
  return level === 'full'
    ? fullSpec({ ...process, uid: 0, gid: 0 }, facts.capabilities, RESOURCES)
    : viewSpec({ ...process, uid: VIEWER_ID, gid: VIEWER_ID }, facts.viewGroups, RESOURCES);
}
