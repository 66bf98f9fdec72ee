/** A host folder or file that a tool may see. */
export interface Bind {
  readonly host: string;
  /** Absolute path at which the tool sees it; its folders are made as needed. */
  readonly inside: string;
  readonly readOnly?: boolean;
}

export interface SandboxOptions {
  readonly binds?: readonly Bind[];
  /** Working directory inside; default "/". */
  readonly cwd?: string;
  /** Added to the fixed environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Let the tool reach the machine's network; default no. */
  readonly network?: boolean;
  /** Give the tool /dev/kvm if the machine has it; default no. */
  readonly devKvm?: boolean;
}

/** How the kernel lets us isolate: as real root, or as root of a user namespace of our own. */
export type Isolation = 'root' | 'user-namespace';

/** Whether the tool ends with us (a run), or stays when we go (a virtual machine). */
export type Lifetime = 'run' | 'detached';

export interface Sandbox {
  /** The toolbox root on the host. */
  readonly root: string;
  readonly isolation: Isolation;
  /** Only while the root is being made. */
  readonly writableRoot?: boolean;
}

/** What to start on the host. The environment is empty: everything the tool sees is in the arguments. */
export interface SandboxCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  HOME: '/root',
};

/** The folders of the toolbox that a tool sees; the rest of "/" is empty memory where binds can be put anywhere. */
const ROOT_FOLDERS = ['usr', 'etc', 'var'];
const ROOT_LINKS = ['bin', 'lib', 'lib64', 'sbin'];

/**
 * sandboxCommand writes the command that runs a tool inside the toolbox. bubblewrap comes from the toolbox and is
 * started by the toolbox's own loader, so the host gives nothing but the kernel.
 */
export function sandboxCommand(
  sandbox: Sandbox,
  lifetime: Lifetime,
  program: string,
  args: readonly string[],
  options: SandboxOptions = {},
): SandboxCommand {
  const { root } = sandbox;
  const libraries = `${root}/usr/lib/x86_64-linux-gnu`;
  return {
    program: `${root}/usr/lib64/ld-linux-x86-64.so.2`,
    args: [
      ...['--library-path', libraries, `${root}/usr/bin/bwrap`],
      ...namespaceArgs(sandbox.isolation, lifetime, options),
      ...fileSystemArgs(sandbox, options),
      ...Object.entries({ ...ENVIRONMENT, ...options.env }).flatMap(([name, value]) => [
        '--setenv',
        name,
        value,
      ]),
      ...['--chdir', options.cwd ?? '/', '--'],
      // bubblewrap stays as the parent of a detached tool; when it is ended the tool must not stay behind.
      ...(lifetime === 'detached' ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM'] : []),
      // The umask is the one thing of the caller that bubblewrap passes on; files must not depend on it.
      ...['/bin/sh', '-c', 'umask 022 && exec "$@"', 'toolbox', program, ...args],
    ],
    env: {},
  };
}

function namespaceArgs(isolation: Isolation, lifetime: Lifetime, options: SandboxOptions): string[] {
  return [
    ...(isolation === 'user-namespace' ? ['--unshare-user', '--uid', '0', '--gid', '0'] : []),
    ...['--unshare-ipc', '--unshare-uts', '--hostname', 'toolbox'],
    ...(options.network ? [] : ['--unshare-net']),
    // A detached tool writes its process id to a file: it must be the id the host knows it by.
    ...(lifetime === 'run' ? ['--unshare-pid', '--die-with-parent', '--new-session'] : []),
  ];
}

function fileSystemArgs(sandbox: Sandbox, options: SandboxOptions): string[] {
  const { root, writableRoot = false } = sandbox;
  const rootBind = writableRoot ? '--bind' : '--ro-bind';
  return [
    ...['--tmpfs', '/'],
    ...ROOT_FOLDERS.flatMap((name) => [rootBind, `${root}/${name}`, `/${name}`]),
    ...ROOT_LINKS.flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['--dev', '/dev', '--proc', '/proc', '--ro-bind', '/sys', '/sys'],
    ...['/tmp', '/run', '/root', '/var/tmp'].flatMap((path) => ['--tmpfs', path]),
    ...(options.devKvm ? ['--dev-bind-try', '/dev/kvm', '/dev/kvm'] : []),
    ...(options.network ? ['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : []),
    ...(options.binds ?? []).flatMap(({ host, inside, readOnly }) => [
      readOnly ? '--ro-bind' : '--bind',
      host,
      inside,
    ]),
    ...['--remount-ro', '/'],
  ];
}
