import { posix } from 'node:path';
import { textAt } from '../model/json.ts';
import { type Mount, mountsOf, type PodView, type Volume, volumesOf } from '../model/pod-view.ts';
import { existsOn, isWithin, type PathFact, pathFactOf, type Target } from '../target/target.ts';
import type { Knowledge, RawFinding } from './rule.ts';

/** A volume that is a path of the host. */
export interface HostPath {
  readonly volume: Volume;
  /** As the kernel sees it: the usual links of a merged /usr and of /var/run are followed. */
  readonly path: string;
  readonly asWritten: string;
  readonly type: string;
  readonly mounts: readonly Mount[];
  /** Some container may write to it. */
  readonly writable: boolean;
}

const LINKS = [
  ['/var/run', '/run'],
  ['/var/lock', '/run/lock'],
  ['/lib64', '/usr/lib64'],
  ['/lib', '/usr/lib'],
  ['/bin', '/usr/bin'],
  ['/sbin', '/usr/sbin'],
] as const;

/** realPath is a path of the host without its usual links. */
export function realPath(path: string): string {
  const plain = posix.normalize(path).replace(/(?<=.)\/$/, '');
  const link = LINKS.find(([from]) => isWithin(plain, from));
  return link ? link[1] + plain.slice(link[0].length) : plain;
}

/** hostPathsOf lists the paths of the host that a pod mounts. */
export function hostPathsOf(pod: PodView): HostPath[] {
  return volumesOf(pod).flatMap((volume): HostPath[] => {
    const asWritten = textAt(volume.value, 'hostPath', 'path');
    if (asWritten === undefined || !asWritten.startsWith('/')) return [];
    const mounts = mountsOf(pod, volume.name);
    return [
      {
        volume,
        path: realPath(asWritten),
        asWritten,
        type: textAt(volume.value, 'hostPath', 'type') ?? '',
        mounts,
        writable: mounts.some(({ readOnly }) => !readOnly),
      },
    ];
  });
}

/** Mounted by many to read, rarely with "readOnly": that nothing can be written there changes nothing for them. */
const ONLY_READ = [
  '/usr/lib/modules',
  '/usr/lib/os-release',
  '/usr/lib/udev',
  '/usr/share/zoneinfo',
  '/usr/share/ca-certificates',
  '/etc/ssl',
  '/etc/pki',
  '/etc/ca-certificates',
  '/etc/localtime',
  '/etc/machine-id',
  '/etc/os-release',
  '/etc/passwd',
  '/etc/group',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/etc/udev',
  '/etc/hostname',
];
/** isOnlyRead: a path that is mounted to be read, whatever the mount says. */
export function isOnlyRead(path: string): boolean {
  return ONLY_READ.some((each) => isWithin(path, each));
}

/** Told by rules of their own. */
const SOCKETS = /\/(?:docker|dockershim|crio|cri-dockerd)\.sock$/;
const MUST_EXIST = new Set(['Directory', 'File', 'Socket', 'CharDevice', 'BlockDevice']);

/** checkHostPaths holds each host path of a pod against what the target is there. */
export function checkHostPaths(pod: PodView, { target }: Knowledge): RawFinding[] {
  return hostPathsOf(pod).flatMap((host) => {
    const finding = judge(host, target, pod);
    return finding === undefined ? [] : [{ ...placeOfPath(host), ...finding }];
  });
}

type Judgement = Pick<RawFinding, 'rule' | 'message'> & Partial<Pick<RawFinding, 'severity' | 'fact'>>;

function judge(host: HostPath, target: Target, pod: PodView): Judgement | undefined {
  const { path, asWritten, writable } = host;
  // A kubelet looks at a volume without a type only when a container mounts it.
  if (host.mounts.length === 0 && host.type === '') return undefined;
  const use = usersOf(host, pod);
  if (path === '/')
    return {
      rule: 'PLM006',
      severity: writable ? 'warn' : 'info',
      message: `${use} the whole root of the host${writable ? ' for writing' : ' to read'}`,
    };
  if (isRuntime(path)) return judgeRuntime(host, target, use);
  if (isPluginFolder(path)) return judgePlugins(host, target, use);
  if (isWithin(path, '/dev')) return undefined;
  const fact = pathFactOf(target, path);
  if (fact === undefined && (isOnlyRead(path) || (!writable && existsOn(target, path)))) return undefined;
  if (fact === undefined)
    return {
      rule: 'PLM007',
      message: `${use} ${asWritten}; nobody has read what that is on ${target.name}`,
    };
  return judgeFact(host, fact, target, use);
}

function judgeFact(host: HostPath, fact: PathFact, target: Target, use: string): Judgement | undefined {
  const { path, asWritten, writable, type } = host;
  if (fact.state === 'kernel' || fact.state === 'devices' || fact.usual) return undefined;
  const exists = existsOn(target, path);
  const absent = (how: string): Judgement => ({
    rule: 'PLM002',
    message: `${use} ${asWritten}, which is not on ${target.name}${how}`,
    fact: fact.source,
  });
  if (fact.state === 'absent') return absent(', nor can it be made');
  if (fact.state === 'read-only') {
    if (exists === false) return absent(MUST_EXIST.has(type) ? '' : ' and cannot be made there: read-only');
    if (writable && !isOnlyRead(path))
      return {
        rule: 'PLM001',
        message: `${use} ${asWritten} for writing, which is read-only on ${target.name}: ${fact.why}`,
        fact: fact.source,
      };
    // Nobody has listed what is there; reading it may find nothing.
    if (exists === undefined && !isOnlyRead(path) && MUST_EXIST.has(type))
      return {
        rule: 'PLM007',
        message: `${use} ${asWritten}, of which nobody has read whether ${target.name} has it`,
      };
    return undefined;
  }
  if (exists === false && MUST_EXIST.has(type) && fact.state === 'ephemeral') return absent('');
  if (fact.state === 'ephemeral' && writable && !isOnlyRead(path))
    return {
      rule: 'PLM003',
      message: `${use} ${asWritten} for writing; what is written there is lost at each reboot of ${target.name}`,
      fact: fact.source,
    };
  // The runtime makes the folder that a volume without a type names, so the container starts and reads nothing.
  if (fact.state === 'ephemeral' && exists === false && !writable && type === '' && !isOnlyRead(path))
    return {
      rule: 'PLM002',
      severity: 'warn',
      message: `${use} ${asWritten} to read; it is not on ${target.name}, so there is nothing to read`,
      fact: fact.source,
    };
  return undefined;
}

/** isOtherRuntime: it belongs to a runtime that the target has not; PLM005 tells of it. */
export function isOtherRuntime(path: string, { kubelet }: Target): boolean {
  const socket = kubelet.runtimeSocket?.value;
  return isRuntime(path) && (socket === undefined || realPath(socket) !== path);
}

function isRuntime(path: string): boolean {
  return SOCKETS.test(path) || path === NRI || isWithin(path, '/var/lib/docker') || path === '/run/docker';
}

const NRI = '/run/nri/nri.sock';

function judgeNri({ asWritten }: HostPath, { kubelet, name }: Target, use: string): Judgement | undefined {
  if (kubelet.nri?.value === true) return undefined;
  if (kubelet.nri === undefined)
    return {
      rule: 'PLM005',
      severity: 'unknown',
      message: `${use} ${asWritten}; whether the runtime of ${name} takes such plugins is unknown`,
    };
  return {
    rule: 'PLM005',
    message: `${use} ${asWritten}; the runtime of ${name} takes no plugins (NRI)`,
    fact: kubelet.nri.source,
  };
}

function judgeRuntime(host: HostPath, target: Target, use: string): Judgement | undefined {
  if (host.path === NRI) return judgeNri(host, target, use);
  const { path, asWritten } = host;
  const socket = target.kubelet.runtimeSocket;
  if (!SOCKETS.test(path))
    return {
      rule: 'PLM005',
      severity: 'info',
      message: `${use} ${asWritten}; there is no Docker on ${target.name}, the folder stays empty`,
    };
  if (socket === undefined)
    return {
      rule: 'PLM005',
      severity: 'unknown',
      message: `${use} ${asWritten}; the runtime of ${target.name} is unknown`,
    };
  if (realPath(socket.value) === path) return undefined;
  return {
    rule: 'PLM005',
    message: `${use} ${asWritten}; the container runtime of ${target.name} listens at ${socket.value}`,
    fact: socket.source,
  };
}

function isPluginFolder(path: string): boolean {
  return /\/cni\/bin$/.test(path) || /\/volume(?:-plugins|\/exec|plugins)$/.test(path);
}

function judgePlugins(host: HostPath, target: Target, use: string): Judgement | undefined {
  const { path, asWritten, writable } = host;
  const isCni = path.endsWith('/cni/bin');
  const { cniBinDirs, volumePluginDir } = target.kubelet;
  const known = isCni ? cniBinDirs?.value : volumePluginDir && [volumePluginDir.value];
  const what = isCni ? 'network plugins' : 'volume plugins';
  if (known === undefined)
    return {
      rule: 'PLM008',
      severity: 'unknown',
      message: `${use} ${asWritten}; where ${target.name} looks for ${what} is unknown`,
    };
  if (!known.some((dir) => realPath(dir) === path))
    return {
      rule: 'PLM008',
      severity: writable ? 'block' : 'warn',
      message: `${use} ${asWritten}; ${target.name} looks for ${what} in ${known.join(', ')} only`,
      fact: (isCni ? cniBinDirs : volumePluginDir)?.source ?? '',
    };
  const fact = pathFactOf(target, path);
  if (fact?.noexec && writable)
    return {
      rule: 'PLM004',
      message: `${use} ${asWritten} for ${what}, which the host starts; files there cannot be executed on ${target.name}: ${fact.path} is noexec`,
      fact: fact.source,
    };
  return fact && judgeFact(host, fact, target, use);
}

/**
 * judgeDataFolder tells why a folder of the host can take no data, or not for long; undefined: it can, or nobody knows.
 * @param path without its usual links
 */
export function judgeDataFolder(
  path: string,
  target: Target,
):
  | { readonly rule: 'PLM001' | 'PLM002' | 'PLM003'; readonly why: string; readonly fact: string }
  | undefined {
  const fact = pathFactOf(target, path);
  if (fact === undefined || fact.state === 'persistent') return undefined;
  if (fact.state === 'ephemeral')
    return { rule: 'PLM003', why: `is lost at each reboot of ${target.name}`, fact: fact.source };
  if (fact.state !== 'read-only' && fact.state !== 'absent') return undefined;
  return existsOn(target, path) === false || fact.state === 'absent'
    ? { rule: 'PLM002', why: `is not on ${target.name} and cannot be made there`, fact: fact.source }
    : { rule: 'PLM001', why: `is read-only on ${target.name}`, fact: fact.source };
}

/** Who mounts it, in words: init containers and daemon sets are what breaks most. */
function usersOf({ mounts }: HostPath, pod: PodView): string {
  const isInit = mounts.length > 0 && mounts.every(({ container }) => container.role === 'init');
  if (mounts.length === 0) return 'has a volume of';
  return `${isInit ? 'an init container' : pod.isDaemon ? 'the daemon' : 'a container'} mounts`;
}

/** placeOfPath is where a finding about a host path stands: at its writer, if there is one. */
export function placeOfPath(host: HostPath): Pick<RawFinding, 'subject' | 'path' | 'container'> {
  const writer = host.mounts.find(({ readOnly }) => !readOnly) ?? host.mounts[0];
  return {
    subject: host.asWritten,
    path: [...host.volume.path, 'hostPath', 'path'],
    ...(writer && { container: writer.container.name }),
  };
}
