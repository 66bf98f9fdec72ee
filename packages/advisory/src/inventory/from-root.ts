import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { isErrno } from '@plinth/host';
import { type BoundedText, readBounded } from '../documents/read-file.ts';
import type { BinaryComponent, Inventory, KernelFacts } from '../model/index.ts';
import { modulesOf, parseBuiltinModules, parseDeniedModules, parseKernelConfig } from './kernel-facts.ts';
import { parseStatus } from './parse-status.ts';
import { listFiles, readGoPrograms } from './scan-files.ts';
import { codenameOf } from './sort-bill.ts';

const STATUS_LIMIT_BYTES = 64 * 1024 * 1024;
/** A longer list is evidence nobody reads. */
const ABSENT_LIMIT = 5_000;
/** Of a package that npm, yarn or pnpm put there; those of Debian's own packages are judged with them. */
const NPM_PACKAGE = /\/node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;
/** What may be deleted from an image without any code going with it. */
const PAPER = /^\/usr\/share\/(?:doc|man|info|locale|lintian|bug|doc-base|bash-completion|zsh|fish)(?:\/|$)/;

/**
 * inventoryOfRoot reads the root of any Debian system: what dpkg says, and whether the files are really there.
 * @throws advisory/subject-invalid, host/io
 */
export async function inventoryOfRoot(root: string): Promise<Inventory> {
  const statuses = await readStatuses(root);
  const parsed = statuses.map(({ locator, text }) => parseStatus(text, locator));
  const found = await listFiles(root);
  const lists = await readFileLists(root);
  const owners = new Map<string, string>();
  const binaries = parsed
    .flatMap(({ binaries: list }) => list)
    .map((binary): BinaryComponent => {
      const own = lists.get(binary.name) ?? lists.get(`${binary.name}:${binary.architecture}`);
      for (const path of own ?? []) owners.set(path, binary.name);
      return own ? { ...binary, ...presence(root, own) } : binary;
    });
  const release = parseOsRelease(
    await readOptional(join(root, 'etc/os-release'), join(root, 'usr/lib/os-release')),
  );
  const ownerOf = (path: string) => owners.get(path) ?? owners.get(path.replace(/^\/usr/, ''));
  const go = await readGoPrograms(root, found.paths, ownerOf);
  const kernel = await readKernel(root, found.paths);
  const npm = found.paths.filter((path) => NPM_PACKAGE.test(path) && ownerOf(path) === undefined);
  const distribution = `${release.get('ID') ?? ''}-${release.get('VERSION_ID') ?? ''}`.replace(/-$/, '');
  const isDebian = release.get('ID') === 'debian';
  return {
    format: 1,
    subject: {
      kind: 'root',
      name: root,
      architecture: binaries.find(({ architecture }) => architecture !== 'all')?.architecture ?? '',
      distribution,
      // Others go by Debian's names of releases and count their versions in another way (Raspbian: "bookworm", "+rpi1").
      codename: isDebian ? (release.get('VERSION_CODENAME') ?? codenameOf(distribution)) : '',
    },
    inputs: statuses.map(({ locator, sha256 }) => ({ locator, sha256, source: 'dpkg-status' })),
    binaries: binaries.sort((a, b) => (a.name < b.name ? -1 : 1)),
    goPrograms: go.programs,
    npmModules: [],
    ...(kernel ? { kernel } : {}),
    files: found.paths,
    gaps: lists.size === 0 ? ['dpkg keeps no list of files here: whether they are present is not known'] : [],
    unread: [
      ...parsed.flatMap(({ unreadable }) =>
        unreadable.map((what) => `dpkg's status has an entry that cannot be read: ${what}`),
      ),
      ...(binaries.length === 0 ? ["dpkg's status names no package"] : []),
      ...found.gaps,
      ...go.gaps,
      ...(npm.length === 0
        ? []
        : [`${npm.length} packages of npm lie in the root and are not read; an SBOM of them can be scanned`]),
    ],
  };
}

async function readStatuses(root: string): Promise<(BoundedText & { readonly locator: string })[]> {
  const names = await readdir(join(root, 'var/lib/dpkg/status.d')).catch(() => []);
  const locators = [
    'var/lib/dpkg/status',
    ...names
      .sort()
      .filter((name) => !name.endsWith('.md5sums'))
      .map((name) => `var/lib/dpkg/status.d/${name}`),
  ];
  const statuses: (BoundedText & { locator: string })[] = [];
  for (const locator of locators) {
    try {
      statuses.push({ ...(await readBounded(join(root, locator), STATUS_LIMIT_BYTES)), locator });
    } catch (reason) {
      if (!(reason instanceof PlinthError && isErrno(reason.cause, 'ENOENT'))) throw reason;
    }
  }
  if (statuses.length > 0) return statuses;
  throw new PlinthError(
    'advisory/subject-invalid',
    `Cannot read the packages of ${root}: neither var/lib/dpkg/status nor status.d is there, expected one`,
  );
}

/** Files of each package, by "name" or "name:architecture". */
async function readFileLists(root: string): Promise<Map<string, string[]>> {
  const folder = join(root, 'var/lib/dpkg/info');
  const names = await readdir(folder).catch(() => []);
  const lists = new Map<string, string[]>();
  for (const name of names.filter((each) => each.endsWith('.list'))) {
    const { text } = await readBounded(join(folder, name), STATUS_LIMIT_BYTES);
    lists.set(
      name.slice(0, -'.list'.length),
      text.split('\n').filter((path) => path.startsWith('/') && !path.includes('/../')),
    );
  }
  return lists;
}

/** dpkg says "installed" also of what the image's maker deleted afterwards: look at the files. */
function presence(
  root: string,
  paths: readonly string[],
): Pick<BinaryComponent, 'filesPresent' | 'absentPaths'> {
  const code = paths.filter((path) => path !== '/.' && !PAPER.test(path));
  const looked = code.map((path) => look(join(root, path)));
  const gone = code.filter((_, index) => looked[index] === 'gone');
  if (looked.includes('file')) return { filesPresent: gone.length === 0 ? 'all' : 'some' };
  // Nothing but folders, all of them there: a package that only depends on others.
  if (gone.length === 0 || gone.length > ABSENT_LIMIT || looked.includes('unknown'))
    return { filesPresent: 'unknown' };
  return { filesPresent: 'none', absentPaths: gone };
}

/** What may not be looked at (another user's folder) is not gone. */
function look(path: string): 'file' | 'folder' | 'gone' | 'unknown' {
  try {
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (!facts) return 'gone';
    return facts.isDirectory() ? 'folder' : 'file';
  } catch {
    return 'unknown';
  }
}

async function readKernel(root: string, paths: readonly string[]): Promise<KernelFacts | undefined> {
  const { release, modules } = modulesOf(paths);
  const configPath = paths.find((path) => path.startsWith('/boot/config-') && path.endsWith(release));
  const version = release || configPath?.slice('/boot/config-'.length);
  if (!version) return undefined;
  const config = configPath === undefined ? undefined : await readOptional(join(root, configPath));
  const builtinPath = paths.find((path) => path.endsWith(`/lib/modules/${version}/modules.builtin`));
  const builtin = builtinPath === undefined ? undefined : await readOptional(join(root, builtinPath));
  const denied = new Set<string>();
  for (const path of paths.filter((each) =>
    /^\/(?:usr\/lib|lib|etc)\/modprobe\.d\/[^/]+\.conf$/.test(each),
  )) {
    for (const name of parseDeniedModules((await readOptional(join(root, path))) ?? '')) denied.add(name);
  }
  return {
    release: version,
    ...(paths.length > 0 ? { modules } : {}),
    ...(config === undefined ? {} : { config: parseKernelConfig(config) }),
    ...(builtin === undefined ? {} : { builtin: parseBuiltinModules(builtin) }),
    denied: [...denied].sort(),
    provenance: { source: 'kernel-config', locator: configPath ?? `/usr/lib/modules/${version}` },
  };
}

async function readOptional(...paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const document = await readBounded(path, STATUS_LIMIT_BYTES).catch(() => undefined);
    if (document) return document.text;
  }
  return undefined;
}

/** os-release(5): NAME=value lines, the value possibly quoted. */
function parseOsRelease(text: string | undefined): Map<string, string> {
  return new Map(
    [...(text ?? '').matchAll(/^([A-Z_]+)=["']?([^"'\n]{0,200})["']?$/gm)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  );
}
