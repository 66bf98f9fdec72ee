import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListSocketsResponseSchema, SocketSchema } from '@plinth/api';
import { cgroupOwner } from '../kernel/cgroup-owner.ts';
import { isWaiting, parseSocketLine, SOCKET_TABLES, type SocketEntry } from '../kernel/socket-table.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { CGROUPS, walkCgroups } from './list-cgroups.ts';
import { openObservation, runLines } from './observing.ts';
import { readUserNames } from './user-names.ts';

export const SS = '/usr/bin/ss';
const SHOWN_MAXIMUM = 10_000;
const COUNTED_MAXIMUM = 100_000;
/** Each socket's inode and control group: for all sockets of TCP and UDP, numbers only, without a header. */
const SS_ARGS = ['-H', '-n', '-t', '-u', '-a', '-e', '--cgroup'];

type SocketShape = MessageInitShape<typeof SocketSchema>;

/** listSockets reads the socket tables of the host's network and asks the kernel which control group made each. */
export async function listSockets(
  sys: Sys,
  { listeningOnly }: { readonly listeningOnly: boolean },
): Promise<MessageInitShape<typeof ListSocketsResponseSchema>> {
  const { attempt, notObserved } = openObservation();
  const states: Record<string, number> = {};
  const waiting: SocketEntry[] = [];
  const others: SocketEntry[] = [];
  let total = 0;
  for (const [protocol, path] of SOCKET_TABLES) {
    await attempt(path, async () => {
      for await (const lines of sys.readLines(path)) {
        for (const line of lines) {
          const entry = parseSocketLine(line, protocol);
          if (!entry || (listeningOnly && !isWaiting(entry))) continue;
          if (total >= COUNTED_MAXIMUM) return;
          total++;
          states[entry.state] = (states[entry.state] ?? 0) + 1;
          if (isWaiting(entry)) waiting.push(entry);
          else if (others.length < SHOWN_MAXIMUM) others.push(entry);
        }
      }
    });
  }
  if (total >= COUNTED_MAXIMUM) notObserved.push(`sockets beyond ${COUNTED_MAXIMUM}: they are not counted`);
  const shown = [...waiting.sort(byPort), ...others].slice(0, SHOWN_MAXIMUM);
  const names = (await attempt('names of users', () => readUserNames(sys))) ?? new Map<number, string>();
  const cgroups = (await attempt('owners', () => readOwners(sys, shown))) ?? new Map<number, string>();
  const processes = await soleProcesses(sys, new Set(cgroups.values()));
  const several = shown.filter(({ inode }) => processes.get(cgroups.get(inode) ?? '') === undefined).length;
  if (several > 0)
    notObserved.push(
      `processes of some sockets (${several}): plinthd may not look into processes, and where a unit or pod runs several it cannot tell which`,
    );
  return {
    sockets: shown.map((entry) => {
      const path = cgroups.get(entry.inode) ?? '';
      return socketShape(entry, path, names, processes.get(path));
    }),
    ...{ total, states, notObserved },
  };
}

function byPort(a: SocketEntry, b: SocketEntry): number {
  return a.localPort - b.localPort || (a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : 0);
}

function socketShape(
  entry: SocketEntry,
  cgroup: string,
  names: ReadonlyMap<number, string>,
  sole: SoleProcess | undefined,
): SocketShape {
  const { protocol, state, localAddress, localPort, remotePort, uid } = entry;
  const { unit, podUid } = cgroupOwner(cgroup);
  return {
    ...{ protocol, state, localAddress, localPort, remotePort, unit, podUid },
    remoteAddress: remotePort === 0 ? '' : entry.remoteAddress,
    user: names.get(uid) ?? String(uid),
    ...{ receiveQueue: BigInt(entry.receiveQueue), sendQueue: BigInt(entry.sendQueue) },
    ...{ pid: sole?.pid ?? 0, process: sole?.name ?? '' },
  };
}

/** Paths of control groups by the inode of the socket. */
async function readOwners(sys: Sys, shown: readonly SocketEntry[]): Promise<ReadonlyMap<number, string>> {
  const wanted = new Set(shown.map(({ inode }) => inode));
  const owners = new Map<number, string>();
  for await (const lines of runLines(sys, SS, SS_ARGS)) {
    for (const line of lines) {
      const owner = parseOwner(line);
      if (owner && wanted.has(owner.inode)) owners.set(owner.inode, owner.cgroup);
    }
  }
  if (owners.size === 0 && shown.some(({ inode }) => inode > 0))
    throw new Error('the kernel does not tell the control groups of sockets');
  return resolveIds(sys, owners);
}

/** parseOwner reads one line of `ss -e --cgroup`; undefined where it names no socket or no group. */
export function parseOwner(line: string): { readonly inode: number; readonly cgroup: string } | undefined {
  const inode = /\bino:(\d+)/.exec(line)?.[1];
  const cgroup = /\bcgroup:(\S+)/.exec(line)?.[1];
  return inode === undefined || cgroup === undefined ? undefined : { inode: Number(inode), cgroup };
}

/**
 * Without the right to open files by handle ss knows the number of a group only ("unreachable:1a2b"): it is the number of
 * its folder, hexadecimal.
 */
async function resolveIds(
  sys: Sys,
  owners: ReadonlyMap<number, string>,
): Promise<ReadonlyMap<number, string>> {
  if (![...owners.values()].some((cgroup) => cgroup.startsWith('unreachable:'))) return owners;
  const paths = new Map<string, string>();
  for (const path of await walkCgroups(sys, CGROUPS, () => true)) {
    const status = await sys.status(`${CGROUPS}${path}`).catch(() => undefined);
    if (status) paths.set(`unreachable:${status.inode.toString(16)}`, path);
  }
  return new Map([...owners].map(([inode, cgroup]) => [inode, paths.get(cgroup) ?? cgroup]));
}

interface SoleProcess {
  readonly pid: number;
  readonly name: string;
}

/** The process of each group that has one only: it must be the one that has the socket. */
async function soleProcesses(
  sys: Sys,
  cgroups: ReadonlySet<string>,
): Promise<ReadonlyMap<string, SoleProcess>> {
  const found = new Map<string, SoleProcess>();
  for (const path of cgroups) {
    if (!path.startsWith('/') || path === '/') continue;
    const text = await readText(sys, `${CGROUPS}${path}/cgroup.procs`).catch(() => undefined);
    if (text === undefined || !/^\d+$/.test(text)) continue;
    const name = await readText(sys, `/proc/${text}/comm`).catch(() => undefined);
    if (name !== undefined) found.set(path, { pid: Number(text), name });
  }
  return found;
}
