import {
  type AttributedRefusal,
  attributeRefusals,
  type ContainerPlace,
  type LiveNode,
  type NodeObservation,
  OBSERVED_LIMITS,
  parseContainerLine,
  parseKernelLine,
  type Refusal,
} from '@plinth/advisor';
import type { LogEntry, NodeClient, Process } from '@plinth/api';
import { type Diagnostic, PlinthError } from '@plinth/base';
import { printable } from '../output/printable.ts';

type Time = LogEntry['time'];
type Logs = Pick<NodeClient, 'logs' | 'containers' | 'system'>;

/**
 * observeNode reads what a node refused: its kernel's log of this boot, and the last lines of each container's log. A log
 * of a container that cannot be read is a problem of the answer. @throws api/…, logs/…, containers/… when nothing can be told
 */
export async function observeNode(node: Logs, name: string): Promise<NodeObservation> {
  const kernel = await readKernel(node);
  // What lives is listed after what happened: a process that ended in between is then nobody's, not somebody else's.
  const { processes, total } = await node.system.processes();
  const { containers } = await node.containers.containers();
  const { now } = await node.system.time();
  const live: LiveNode = {
    processes: processes.map(toProcess),
    containers: containers.map(({ id, namespace, pod, name: container, podId, createdAt }) => ({
      ...{ id, namespace, pod, name: container, podId, createdMs: timeMs(createdAt) },
    })),
  };
  // The log may end long before: nothing was refused since.
  const untilMs = now ? Math.max(timeMs(now), kernel.untilMs) : kernel.untilMs;
  const notes: string[] = [];
  if (total > processes.length)
    notes.push(`only ${processes.length} of ${total} processes are known, so some refusals are nobody's`);
  if (kernel.unreadable > 0) notes.push(`${kernel.unreadable} audit messages could not be understood`);
  const places = distinctPlaces(live);
  const logs = await readContainers(node, name, places);
  const refusals = [...attributeRefusals(kernel.refusals, live), ...logs.refusals];
  return {
    ...{ node: name, refusals, places, fromMs: kernel.fromMs, untilMs, lost: kernel.lost },
    ...{
      containerLogs: logs.read,
      unreadPlaces: logs.unreadPlaces,
      notes,
      problems: [...kernel.problems, ...logs.problems],
    },
  };
}

/** unknownNode says that nothing is known of a node. */
export function unknownNode(name: string, { code, message }: PlinthError): Diagnostic {
  return unread(
    `Cannot tell what node ${printable(name)} refused: ${printable(message)} [${code}], expected its logs`,
  );
}

function unread(message: string): Diagnostic {
  return { code: 'check/observed-unread', severity: 'error', message };
}

async function readKernel({ logs }: Logs) {
  const refusals: Refusal[] = [];
  let [lost, unreadable, over, fromMs, untilMs] = [0, 0, 0, Number.NaN, Number.NaN];
  for await (const entries of logs.read({ source: { case: 'kernel', value: true } }))
    for (const { time, message, identifier, pid } of entries) {
      const atMs = timeMs(time);
      if (Number.isNaN(fromMs)) fromMs = atMs;
      if (!Number.isNaN(atMs)) untilMs = atMs;
      // Programs can write to the kernel's buffer too; their entries carry their own name or process.
      if (pid !== 0 || (identifier !== '' && identifier !== 'kernel')) continue;
      const line = parseKernelLine(message, atMs);
      if (line === undefined) continue;
      if (line.kind === 'lost') lost += line.count ?? 1;
      else if (line.kind === 'unreadable') unreadable++;
      else if (refusals.length < OBSERVED_LIMITS.refusals) refusals.push(line.refusal);
      else over++;
    }
  if (Number.isNaN(fromMs))
    throw new PlinthError(
      'check/observed-unread',
      'Cannot read the kernel log: it is empty, expected messages since the boot',
    );
  return {
    ...{ refusals, lost, unreadable, fromMs, untilMs },
    problems:
      over === 0
        ? []
        : [
            unread(
              `Cannot keep ${over} refusals of the kernel: expected at most ${OBSERVED_LIMITS.refusals}`,
            ),
          ],
  };
}

async function readContainers(node: Logs, name: string, places: readonly ContainerPlace[]) {
  const refusals: AttributedRefusal[] = [];
  const unreadPlaces: ContainerPlace[] = [...places.slice(OBSERVED_LIMITS.containers)];
  const problems: Diagnostic[] = [];
  if (unreadPlaces.length > 0)
    problems.push(
      unread(
        `Cannot read the logs of ${unreadPlaces.length} containers of node ${printable(name)}: there are more than ${OBSERVED_LIMITS.containers}`,
      ),
    );
  let read = 0;
  // One after the other: a node lets few be read at a time, and has other work.
  for (const place of places.slice(0, OBSERVED_LIMITS.containers))
    try {
      const room = OBSERVED_LIMITS.refusals - refusals.length;
      refusals.push(...(await readContainer(node, place)).slice(0, Math.max(0, room)));
      read++;
    } catch (reason) {
      const error = PlinthError.from(reason, 'check/observed-unread', 'Cannot read a log');
      unreadPlaces.push(place);
      if (problems.length >= OBSERVED_LIMITS.unread) continue;
      const which = printable(`${place.namespace}/${place.pod}/${place.container}`);
      problems.push(
        unread(
          `Cannot read the log of ${which} on node ${printable(name)}: ${printable(error.message)} [${error.code}], expected its last lines`,
        ),
      );
    }
  return { refusals, read, unreadPlaces, problems };
}

async function readContainer({ logs }: Logs, place: ContainerPlace): Promise<AttributedRefusal[]> {
  const found: AttributedRefusal[] = [];
  const source = { case: 'container', value: { ...place, previous: false } } as const;
  let lines = 0;
  for await (const entries of logs.read({ source, lines: OBSERVED_LIMITS.containerLines }))
    for (const { time, message } of entries) {
      // A node that sends more than it was asked for is not read for ever.
      if (++lines > OBSERVED_LIMITS.containerLines) return found;
      for (const line of message.split('\n')) {
        const refusal = parseContainerLine(line, timeMs(time));
        if (refusal) found.push({ ...refusal, place, unit: '' });
      }
    }
  return found;
}

/** A container that was started again has one log. What belongs to no pod of Kubernetes has none that can be asked for. */
function distinctPlaces({ containers }: LiveNode): ContainerPlace[] {
  const places = new Map<string, ContainerPlace>();
  for (const { namespace, pod, name } of containers)
    if (namespace !== '' && pod !== '')
      places.set([namespace, pod, name].join('/'), { namespace, pod, container: name });
  return [...places.values()];
}

function toProcess({ pid, startedAt, containerId, unit }: Process): LiveNode['processes'][number] {
  return { pid, startedMs: timeMs(startedAt), containerId, unit };
}

function timeMs(time: Time): number {
  return time ? Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000) : Number.NaN;
}
