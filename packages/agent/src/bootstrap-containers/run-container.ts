import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '@plinth/base';
import { type BootstrapContainer, secondsOf } from '@plinth/config';
import type { CriClient } from '../containers/cri-client.ts';
import { bootstrapSpec } from '../containers/own/oci-spec.ts';
import type { OwnContainers } from '../containers/own/own-containers.ts';
import type { ContainerFiles } from './container-files.ts';
import type { RunEnd } from './records.ts';

/** Labels of containers made here. */
export const OWNER = 'bootstrap';

export interface RunParts {
  readonly cri: Pick<CriClient, 'image' | 'pull' | 'remove' | 'containers'>;
  readonly own: OwnContainers;
  readonly files: ContainerFiles;
  readonly signal: AbortSignal;
  readonly limits?: Partial<RunLimits>;
}

export interface RunLimits {
  /** How long registries may be silent, all containers of a boot together: in a boot the network comes later. */
  readonly pullMs: number;
  readonly firstPauseMs: number;
  readonly pollMs: number;
  readonly outputBytes: number;
}

const LIMITS: RunLimits = {
  pullMs: 10 * 60_000,
  firstPauseMs: 2_000,
  pollMs: 500,
  outputBytes: 16 * 1024 * 1024,
};
const LONGEST_PAUSE_MS = 30_000;
/** What is kept of its output. */
const KEPT_BYTES = 8 * 1024;
/** From its end until all it wrote is here. */
const LAST_WORDS_MS = 2_000;
/** What its end may take beyond its time. */
const AFTERWARDS_MS = 60_000;
const SIGKILL = 9;
const RESOURCES = { memoryBytes: 1024 ** 3, processes: 1024 };
/** Names of the network and of others; the image has its own. */
const NETWORK_FILES = ['/etc/hosts', '/etc/resolv.conf'];

/** containerId is the id a bootstrap container has in the runtime. */
export function containerId(name: string): string {
  return `bootstrap-${name}`;
}

/** pullPatience is when the registries of a round that begins now have been silent for too long. */
export function pullPatience({ limits }: Pick<RunParts, 'limits'>): number {
  return performance.now() + (limits?.pullMs ?? LIMITS.pullMs);
}

/**
 * pullFor brings the image of a container to the node and tries again while its registry is silent.
 * @param untilMs of performance.now(); it is tried once at least
 * @returns whether it had to be brought
 * @throws containers/… when it cannot be had
 */
export async function pullFor(
  parts: RunParts,
  { image }: BootstrapContainer,
  untilMs: number,
): Promise<boolean> {
  const { cri, signal, limits } = parts;
  const { firstPauseMs } = { ...LIMITS, ...limits };
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      if (await cri.image(image)) return false;
      await cri.pull(image);
      return true;
    } catch (reason) {
      const { code } = PlinthError.from(reason, 'containers/failed', 'Cannot pull');
      const hopeless = code !== 'containers/pull-failed' && code !== 'containers/runtime-unreachable';
      if (hopeless || performance.now() + pauseMs > untilMs) throw reason;
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/** runContainer runs a container to its end and takes it away. Its image is there. Throws containers/…, or the signal's reason. */
export async function runContainer(parts: RunParts, spec: BootstrapContainer): Promise<RunEnd> {
  const { own, files, signal, limits } = parts;
  const { pollMs, outputBytes } = { ...LIMITS, ...limits };
  const { name } = spec;
  const id = containerId(name);
  const timeoutMs = (secondsOf(spec.timeout) ?? 0) * 1000;
  await own.remove(id);
  const dataPath = await files.prepare(name, spec.data, writablePlaces(spec));
  // Early in a boot the resolver has not written its own yet.
  const networkFiles = await files.present(NETWORK_FILES);
  const output = await files.openOutput(name);
  const ended = new AbortController();
  try {
    await own.start({
      ...{ id, owner: OWNER, image: spec.image, longestMs: timeoutMs + AFTERWARDS_MS },
      domain: 'bootstrap_t',
      io: { stdin: '', stdout: output.path, stderr: output.path, terminal: false },
      spec: ({ entrypoint, command, env, folder, uid, gid }) =>
        bootstrapSpec(
          {
            args: [...(spec.command ?? entrypoint), ...(spec.args ?? (spec.command ? [] : command))],
            env: [...env, ...spec.env.map((each) => `${each.name}=${each.value}`)],
            ...{ folder, uid, gid },
          },
          [
            ...networkFiles.map((path) => ({ source: path, target: path, readOnly: true })),
            ...spec.mounts.map(({ path, writable }) => ({ source: path, target: path, readOnly: !writable })),
            ...(dataPath === undefined ? [] : [{ source: dataPath, target: '/plinth/data', readOnly: true }]),
          ],
          RESOURCES,
        ),
    });
    let reason = '';
    let sizeBytes = 0;
    let last = Buffer.alloc(0);
    const reading = (async () => {
      for await (const piece of output.pieces) {
        sizeBytes += piece.length;
        last = Buffer.concat([last, piece]).subarray(-KEPT_BYTES);
      }
    })().catch(() => {}); // the pipe was closed
    const watching = watch();
    const exitCode = await own.wait(id, signal);
    ended.abort();
    await watching;
    // The runtime lets go of a container once all it wrote is in the pipe.
    await own.remove(id);
    await Promise.race([reading, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    if (exitCode === undefined) reason ||= 'its end was not seen';
    else if (exitCode !== 0) reason ||= `it ended with exit code ${exitCode}`;
    return { exitCode, reason, output: printable(wholeLines(last, sizeBytes)) };

    /** Ends it when it takes too long or says too much. */
    async function watch(): Promise<void> {
      const startedMs = performance.now();
      while (!ended.signal.aborted && !signal.aborted) {
        if (performance.now() - startedMs > timeoutMs) reason = `it took longer than ${spec.timeout}`;
        else if (sizeBytes > outputBytes) reason = `it wrote more than ${outputBytes} bytes`;
        if (reason !== '') await own.kill(id, SIGKILL, true).catch(() => {}); // tried again with the next look
        await sleep(pollMs, undefined, { signal: AbortSignal.any([ended.signal, signal]) }).catch(() => {});
      }
    }
  } finally {
    ended.abort();
    await own.remove(id).catch(() => {}); // the next start sweeps
    output.close();
    await files.clear(name).catch(() => {});
  }
}

/** removeImage takes the image away unless a container uses it or the system needs it. Never rejects: it is in nobody's way. */
export async function removeImage({ cri }: Pick<RunParts, 'cri'>, image: string): Promise<void> {
  try {
    const found = await cri.image(image);
    // Under another name it was there for somebody else.
    if (!found || found.pinned || found.repoTags.length > 0 || found.repoDigests.length > 1) return;
    const users = await cri.containers();
    if (users.some(({ imageId, imageRef }) => imageId === found.id || imageRef === found.id)) return;
    await cri.remove(image);
  } catch {
    // The kubelet removes it when the disk fills up.
  }
}

function writablePlaces({ mounts }: BootstrapContainer): readonly string[] {
  return mounts.filter(({ path }) => path.startsWith('/var/local')).map(({ path }) => path);
}

/** The end of an output as text. A cut may have gone through a line and through a character. */
function wholeLines(last: Buffer, sizeBytes: number): string {
  const text = last.toString('utf8');
  return last.length < sizeBytes ? text.slice(text.indexOf('\n') + 1) : text;
}

/** What a program wrote is shown on terminals: nothing of it may steer one. */
function printable(text: string): string {
  return text.replaceAll(/[^\n\t\P{C}]/gu, '�');
}
