/** One line of /proc/PID/mountinfo. */
export interface MountInfo {
  readonly id: number;
  /** "major:minor" of the file system. */
  readonly device: string;
  /** Folder of the file system that is mounted; "/" for the whole. */
  readonly root: string;
  readonly target: string;
  /** Options of the mount: ro, nosuid, nodev, noexec, relatime. */
  readonly mountOptions: readonly string[];
  readonly fileSystem: string;
  readonly source: string;
  /** Options of the file system: ro, lowerdir=…, size=…. */
  readonly superOptions: readonly string[];
}

/** parseMountInfo reads /proc/PID/mountinfo in its order. Lines of another shape are left out. Source: proc_pid_mountinfo(5). */
export function parseMountInfo(text: string): readonly MountInfo[] {
  return text.split('\n').flatMap((line) => parseMountLine(line) ?? []);
}

/** parseMountLine reads one line of /proc/PID/mountinfo; undefined for another shape. */
export function parseMountLine(line: string): MountInfo | undefined {
  const [front = '', back = ''] = line.split(' - ', 2);
  const [id, , device, root, target, options] = front.split(' ');
  const [fileSystem, source, superOptions] = back.split(' ');
  if (!id || !device || !root || !target || !options || !fileSystem || source === undefined) return undefined;
  return {
    id: Number(id),
    device,
    root: unescapeOctal(root),
    target: unescapeOctal(target),
    mountOptions: options.split(','),
    fileSystem,
    source: unescapeOctal(source),
    superOptions: (superOptions ?? '').split(','),
  };
}

/** visibleMounts drops mounts that a later one at the same place covers. */
export function visibleMounts(mounts: readonly MountInfo[]): readonly MountInfo[] {
  const top = new Map(mounts.map((mount) => [mount.target, mount]));
  return mounts.filter((mount) => top.get(mount.target) === mount);
}

/** mountHolding finds the mount a path lies on: the one with the longest target that is a parent of the path. */
export function mountHolding(mounts: readonly MountInfo[], path: string): MountInfo | undefined {
  return visibleMounts(mounts)
    .filter(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`))
    .sort((a, b) => b.target.length - a.target.length)[0];
}

/** isWritable: both the mount and its file system must allow it. */
export function isWritable(mount: MountInfo): boolean {
  return !mount.mountOptions.includes('ro') && !mount.superOptions.includes('ro');
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
