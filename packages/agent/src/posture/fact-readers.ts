import { dmsetup } from '../integrity/root-checks.ts';
import { parseCommandLine } from '../kernel/command-line.ts';
import { parseCryptTable } from '../kernel/crypt-table.ts';
import { isWritable, parseMountInfo, visibleMounts } from '../kernel/mountinfo.ts';
import { parseUserNames } from '../kernel/process-files.ts';
import { onlyOnce } from '../shared-run.ts';
import { readText, type Sys } from '../sys/sys.ts';
import { accountFact, isAccountFact, parseAccounts, parseGroups } from './accounts.ts';
import { parseKernelConfig, parseLoadedModules, parseModuleList, sysctlPath } from './parse-facts.ts';
import { unitStates } from './unit-states.ts';

/** What one look at a source gave. */
export type Reading = { readonly value: string } | { readonly absent: true } | { readonly unknown: string };

/** What a member of a cluster knows of its part in it. */
export interface ClusterFacts {
  /** Undefined when the node is in none. @throws kubernetes/state-unreadable */
  role(): Promise<string | undefined>;
  /** What a machine has to prove for the certificate of a node; asked on control planes, which give those. Errors: see KubeClient. */
  admission(): Promise<'off' | 'report' | 'required'>;
}

/** One kind of facts. */
export interface FactReader {
  /** Path or program that a fact of this name comes from; undefined for a name of which nothing is told. */
  source(name: string): string | undefined;
  read(name: string): Promise<Reading>;
  /** Each fact has a file of its own, so that a missing file is a missing fact. */
  readonly alone?: true;
  /** The empty name is the root folder. */
  readonly rooted?: true;
}

const ABSENT: Reading = { absent: true };
const WEAKNESSES = '/sys/devices/system/cpu/vulnerabilities';
/** The largest, a kernel's configuration, has 260 KiB. */
const SOURCE_LIMIT_BYTES = 1024 * 1024;

/**
 * factReaders are the kinds of facts by their names. A source of many facts is read once, when the first of them is asked for.
 * @param units names of the units that will be asked for
 */
export function factReaders(
  sys: Sys,
  units: readonly string[],
  cluster: ClusterFacts,
): ReadonlyMap<string, FactReader> {
  const text = async (path: string) =>
    (await sys.readFile(path, SOURCE_LIMIT_BYTES)).toString('utf8').trimEnd();
  return new Map<string, FactReader>([
    [
      'sysctl',
      {
        alone: true,
        source: sysctlPath,
        read: async (name) => ({ value: oneLine(await text(sysctlPath(name) ?? '')) }),
      },
    ],
    [
      'boot',
      inMap(
        '/proc/cmdline',
        onlyOnce(async () => parseCommandLine(await text('/proc/cmdline'))),
      ),
    ],
    ['kernel-config', kernelConfig(text)],
    ['module', kernelModules(text)],
    [
      'cpu',
      {
        alone: true,
        source: (name) => (/^[a-z0-9_]{1,40}$/.test(name) ? `${WEAKNESSES}/${name}` : undefined),
        read: async (name) => ({ value: await text(`${WEAKNESSES}/${name}`) }),
      },
    ],
    ['file', fileStatus(sys, text)],
    ['mount', mounts(text)],
    [
      'unit',
      inMap(
        'systemctl show',
        onlyOnce(() => unitStates(sys, units)),
      ),
    ],
    ['accounts', accounts(text)],
    ['encryption', encryption(sys, text)],
    ['cluster', clusterFact(cluster)],
  ]);
}

type ReadText = (path: string) => Promise<string>;

/** Several values of one setting are told with one blank between them. */
function oneLine(text: string): string {
  return text.split(/\s+/).join(' ');
}

function inMap(source: string, load: () => Promise<ReadonlyMap<string, string>>): FactReader {
  return {
    source: () => source,
    async read(name) {
      const value = (await load()).get(name);
      return value === undefined ? ABSENT : { value };
    },
  };
}

/** The configuration lies beside the kernel's modules, see packages/image. */
function kernelConfig(text: ReadText): FactReader {
  const load = onlyOnce(async () => {
    const release = await text('/proc/sys/kernel/osrelease');
    return parseKernelConfig(await text(`/usr/lib/modules/${release}/config`));
  });
  return inMap('/usr/lib/modules/*/config', load);
}

function kernelModules(text: ReadText): FactReader {
  const load = onlyOnce(async () => {
    const folder = `/usr/lib/modules/${await text('/proc/sys/kernel/osrelease')}`;
    const [loaded, builtIn, available] = await Promise.all([
      text('/proc/modules').then(parseLoadedModules),
      text(`${folder}/modules.builtin`).then(parseModuleList),
      text(`${folder}/modules.dep`).then(parseModuleList),
    ]);
    return new Map([
      ...[...available].map((name) => [name, 'available'] as const),
      ...[...loaded].map((name) => [name, 'loaded'] as const),
      ...[...builtIn].map((name) => [name, 'built-in'] as const),
    ]);
  });
  const found = inMap('/proc/modules, /usr/lib/modules', load);
  return { ...found, read: (name) => found.read(name.replaceAll('-', '_')) };
}

function fileStatus(sys: Sys, text: ReadText): FactReader {
  // Without names the numbers are told. group(5) has the number where passwd(5) has it.
  const namesIn = async (path: string) => parseUserNames(await text(path).catch(() => ''));
  const names = onlyOnce(async () => ({
    users: await namesIn('/etc/passwd'),
    groups: await namesIn('/etc/group'),
  }));
  return {
    alone: true,
    source: (name) => (isPlainPath(name) ? `/${name}` : undefined),
    async read(name) {
      const { kind, mode, uid, gid } = await sys.status(`/${name}`);
      const { users, groups } = await names();
      const owner = `${users.get(uid) ?? uid}:${groups.get(gid) ?? gid}`;
      return { value: `${mode.toString(8).padStart(4, '0')} ${owner} ${kind}` };
    },
  };
}

function isPlainPath(path: string): boolean {
  return (
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0')
  );
}

function mounts(text: ReadText): FactReader {
  const load = onlyOnce(async () => visibleMounts(parseMountInfo(await text('/proc/1/mountinfo'))));
  return {
    rooted: true,
    source: () => '/proc/1/mountinfo',
    async read(name) {
      const mount = (await load()).find(({ target }) => target === `/${name}`);
      if (!mount) return ABSENT;
      const flags = ['nosuid', 'nodev', 'noexec'].filter((flag) => mount.mountOptions.includes(flag));
      return { value: [mount.fileSystem, isWritable(mount) ? 'rw' : 'ro', ...flags].join(' ') };
    },
  };
}

/** What a mount lies on: the format of the encrypted volume, its cipher, and the bits of its key where the kernel tells them. */
function encryption(sys: Sys, text: ReadText): FactReader {
  return {
    rooted: true,
    source: () => '/proc/1/mountinfo, dmsetup table',
    async read(name) {
      const mounts = visibleMounts(parseMountInfo(await text('/proc/1/mountinfo')));
      const mount = mounts.find(({ target }) => target === `/${name}`);
      if (!mount) return { unknown: `nothing is mounted at /${name}` };
      const mapped = `/sys/dev/block/${mount.device}/dm`;
      const [device, uuid] = [await readText(sys, `${mapped}/name`), await readText(sys, `${mapped}/uuid`)];
      const format = /^CRYPT-(\w+)-/.exec(uuid ?? '')?.[1];
      if (device === undefined || format === undefined) return ABSENT;
      const table = parseCryptTable(await dmsetup(sys, 'table', device.trim()));
      if (!table) return { unknown: `${device.trim()} is more than one target of dm-crypt` };
      return {
        value: [format.toLowerCase(), table.cipher, ...(table.keyBits ? [table.keyBits] : [])].join(' '),
      };
    },
  };
}

function clusterFact(cluster: ClusterFacts): FactReader {
  return {
    source: (name) => {
      if (name === 'role') return 'the record of its membership';
      return name === 'admission' ? 'Secret kube-system/plinth-attestation' : undefined;
    },
    async read(name) {
      const role = await cluster.role();
      if (role === undefined) return ABSENT;
      if (name === 'role') return { value: role };
      if (role !== 'control-plane') return { unknown: 'control planes give certificates, and know for what' };
      return { value: await cluster.admission() };
    },
  };
}

function accounts(text: ReadText): FactReader {
  const load = onlyOnce(async () => ({
    accounts: parseAccounts(await text('/etc/passwd'), await text('/etc/shadow')),
    groups: parseGroups(await text('/etc/group')),
  }));
  return {
    source: (kind) => (isAccountFact(kind) ? '/etc/passwd, /etc/shadow, /etc/group' : undefined),
    async read(kind) {
      const names = accountFact(kind, await load());
      return names.length === 0 ? ABSENT : { value: names.join(' ') };
    },
  };
}
