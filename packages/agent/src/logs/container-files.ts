import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerLog } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { isMissing } from '../sys/sys.ts';
import { invalid } from './journal-arguments.ts';

/** Where the kubelet lets the runtime write: NAMESPACE_POD_UID/CONTAINER/RESTARTS.log (kubelet's logs of pods). */
export const POD_LOGS = '/var/log/pods';

/** Names of Kubernetes: no slash, no underscore, no dot at an end. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
/** "3.log" is being written; "3.log.20261122-054100" was put aside when it was full, and later compressed. */
const FILE = /^(\d{1,9})\.log(?:\.(\d{8}-\d{6})(\.gz)?)?$/;

/** One file of a container's log. */
export interface LogFile {
  readonly path: string;
  readonly compressed: boolean;
}

/** The log of one run of a container. */
export interface FoundLog {
  readonly container: string;
  readonly folder: string;
  /** How often the container had been started again. */
  readonly run: number;
  /** Oldest first; the last is the one that is written to. */
  readonly files: readonly LogFile[];
}

/**
 * findContainerLog finds the log of a container by the names of folders, without the runtime: it works when that does not
 * answer. Of several pods of one name the youngest is meant.
 * @throws logs/request-invalid, logs/container-missing
 */
export async function findContainerLog(wanted: ContainerLog, root: string): Promise<FoundLog> {
  for (const [field, value] of [
    ['namespace', wanted.namespace],
    ['pod', wanted.pod],
  ] as const)
    if (!NAME.test(value)) throw invalid(field, 'no name of Kubernetes', 'one such as "kube-system"');
  const prefix = `${wanted.namespace}_${wanted.pod}_`;
  const pods = (await names(root)).filter((name) => name.startsWith(prefix));
  const pod = await youngest(pods.map((name) => join(root, name)));
  if (pod === undefined) throw missing(wanted, 'the node has no such pod');
  const containers = await names(pod);
  const container = wanted.container === '' && containers.length === 1 ? containers[0] : wanted.container;
  if (container === undefined || container === '')
    throw missing(
      wanted,
      `the pod has ${containers.length} containers`,
      `Name one: ${containers.join(', ')}.`,
    );
  if (!containers.includes(container))
    throw missing(wanted, `the pod has no container "${container}"`, `It has ${containers.join(', ')}.`);
  const folder = join(pod, container);
  const runs = await runsIn(folder);
  const run = runs.at(wanted.previous ? -2 : -1);
  if (run === undefined) throw missing(wanted, wanted.previous ? 'it ran only once' : 'it wrote nothing yet');
  return { container, folder, run, files: await logFiles(folder, run) };
}

/** logFiles are the files of one run, oldest first. */
export async function logFiles(folder: string, run: number): Promise<readonly LogFile[]> {
  const found = (await names(folder))
    .map((name) => ({ name, match: FILE.exec(name) }))
    .filter(({ match }) => match !== null && Number(match[1]) === run)
    // The date of one that was put aside sorts as text; the one that is written to has none and is the last.
    .map(({ name, match }) => ({ name, date: match?.[2] ?? '~', compressed: match?.[3] !== undefined }));
  // While one is being compressed both are there.
  const whole = found.filter(
    ({ name }) => !name.endsWith('.gz') || !found.some((other) => `${other.name}.gz` === name),
  );
  return whole
    .toSorted((a, b) => (a.date < b.date ? -1 : 1))
    .map(({ name, compressed }) => ({ path: join(folder, name), compressed }));
}

/** runsIn are the numbers of the runs whose logs are there, ascending. */
export async function runsIn(folder: string): Promise<readonly number[]> {
  const runs = (await names(folder)).map((name) => FILE.exec(name)?.[1]).filter((run) => run !== undefined);
  return [...new Set(runs.map(Number))].sort((a, b) => a - b);
}

/**
 * openLog opens a file of a log. A pod may have been given this folder to write: no link is followed, and what is no plain
 * file is refused without a wait for whoever is at its other end.
 */
export async function openLog(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if ((await file.stat()).isFile()) return file;
    throw new Error(`${path} is no plain file`);
  } catch (reason) {
    await file.close();
    throw reason;
  }
}

/** nothingThere gives undefined for a file that was put aside or removed since its name was read; throws the rest. */
export function nothingThere(reason: unknown): undefined {
  if (!isMissing(reason)) throw reason;
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (reason) {
    if (isMissing(reason)) return [];
    throw reason;
  }
}

async function youngest(folders: readonly string[]): Promise<string | undefined> {
  const dated = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      madeMs: await stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  return dated.toSorted((a, b) => b.madeMs - a.madeMs)[0]?.folder;
}

function missing({ namespace, pod }: ContainerLog, state: string, hint?: string): PlinthError {
  return new PlinthError(
    'logs/container-missing',
    `Cannot read the log of ${namespace}/${pod}: ${state}, expected one with a log`,
    hint === undefined ? {} : { hint },
  );
}
