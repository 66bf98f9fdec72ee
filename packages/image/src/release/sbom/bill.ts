import type { LockedPackage } from '@plinth/debian';
import type { GoBuildInfo, GoModule } from '@plinth/formats';
import { compareText } from '../../compare-text.ts';
import type { BuiltTree } from '../../types.ts';
import type { AgentModules } from '../agent-modules.ts';
import { packageUrl } from './package-url.ts';

export interface BillInputs {
  /** Name and version of the image: "plinth", "1.4.2". */
  readonly name: string;
  readonly version: string;
  readonly prettyName: string;
  /** SOURCE_DATE_EPOCH of the build. */
  readonly epochSeconds: number;
  readonly packages: readonly LockedPackage[];
  /** SPDX expressions of packages by name, as far as they are known; see readLicences. */
  readonly licences: ReadonlyMap<string, string>;
  /** With digests, see hashTree. */
  readonly tree: BuiltTree;
  /** Build information of Go programs by path, from the tree's facts. */
  readonly goPrograms: ReadonlyMap<string, GoBuildInfo>;
  readonly kernel: {
    /** What `uname -r` says. */
    readonly release: string;
    /** The package the kernel came from. */
    readonly package: string;
    readonly sha256: string;
  };
  readonly agent: {
    readonly version: string;
    /** Where plinthd lies in the tree. */
    readonly path: string;
    readonly contents: AgentModules;
  };
}

/** One file of the root image. */
export interface BillFile {
  readonly path: string;
  readonly sha256: string;
  readonly sha1: string;
}

/** A thing with a name and a version, in words that both SBOM formats can say. */
export interface BillComponent {
  /** Unique in the bill; letters, digits, "." and "-" only. */
  readonly id: string;
  readonly kind: 'library' | 'application' | 'kernel';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  /** SPDX expression; absent where nobody stated one. */
  readonly license?: string;
  /** Of the package file or program itself. */
  readonly sha256?: string;
  readonly source?: { readonly name: string; readonly version: string; readonly purl: string };
  /** The files it put into the image. */
  readonly files: readonly BillFile[];
  /** Ids of the components compiled into this one. */
  readonly contains: readonly string[];
}

/** What a release is made of, independent of any SBOM format. */
export interface Bill {
  readonly name: string;
  readonly version: string;
  readonly prettyName: string;
  readonly epochSeconds: number;
  /** Sorted by id. */
  readonly components: readonly BillComponent[];
}

/** Numbers of programming interfaces that Node lists among the versions of its parts. */
const INTERFACE_NUMBERS = ['modules', 'napi'];

/** The distribution qualifier scanners expect for trixie. */
const DISTRO = 'debian-13';

/** makeBill names everything in an image: packages, their files, what was compiled into them, kernel, agent; pure. */
export function makeBill(inputs: BillInputs): Bill {
  const filesOf = groupFiles(inputs.tree);
  const compiledIn = new Map<string, BillComponent>();
  const add = (component: BillComponent): string => {
    compiledIn.set(component.id, component);
    return component.id;
  };
  const packages = inputs.packages.map((item): BillComponent => {
    const files = filesOf.get(item.name) ?? [];
    const modules = files.flatMap(({ path }) => goComponents(inputs.goPrograms.get(path)));
    const sources = [...(item.builtUsing ?? []), ...(item.staticBuiltUsing ?? [])].flatMap(sourceComponents);
    return {
      ...packageComponent(item, inputs.licences.get(item.name)),
      files,
      contains: unique([...modules, ...sources].map(add)),
    };
  });
  const components = [
    ...packages,
    ...ownComponents(inputs, filesOf.get('plinth') ?? [], add),
    ...compiledIn.values(),
  ];
  return {
    name: inputs.name,
    version: inputs.version,
    prettyName: inputs.prettyName,
    epochSeconds: inputs.epochSeconds,
    components: components.sort((a, b) => compareText(a.id, b.id)),
  };
}

/** packageComponent describes a locked package, without its files. */
export function packageComponent(
  item: LockedPackage,
  license: string | undefined,
): Omit<BillComponent, 'files' | 'contains'> {
  return {
    id: componentId('deb', item.name),
    kind: 'library',
    name: item.name,
    version: item.version,
    purl: packageUrl('deb', `debian/${item.name}`, item.version, { arch: 'amd64', distro: DISTRO }),
    sha256: item.sha256,
    ...(license === undefined ? {} : { license }),
    source: {
      name: item.source,
      version: item.sourceVersion,
      purl: packageUrl('deb', `debian/${item.source}`, item.sourceVersion, {
        arch: 'source',
        distro: DISTRO,
      }),
    },
  };
}

/** The builder's own files, the agent with its modules, and the kernel, which lies in the UKI and not in the root. */
function ownComponents(
  inputs: BillInputs,
  files: readonly BillFile[],
  add: (component: BillComponent) => string,
): BillComponent[] {
  const { runtime, modules } = inputs.agent.contents;
  const embedded = Object.entries(runtime.components)
    .filter(([name, version]) => version !== '' && !INTERFACE_NUMBERS.includes(name))
    .map(([name, version]) => add(plainComponent('runtime', name, version)));
  const runtimeId = add({
    ...plainComponent('runtime', runtime.name, runtime.version),
    contains: unique(embedded),
  });
  const bundled = modules.map(({ name, version, license }) =>
    add({
      ...plainComponent('npm', name, version),
      purl: packageUrl('npm', name, version),
      ...(isLicenseExpression(license) ? { license } : {}),
    }),
  );
  // Go programs that the builder compiled itself belong to no package.
  const ownModules = files.flatMap(({ path }) => goComponents(inputs.goPrograms.get(path))).map(add);
  const kernelPackage = inputs.packages.find(({ name }) => name === inputs.kernel.package);
  return [
    {
      id: 'plinth-agent',
      kind: 'application',
      name: 'plinthd',
      version: inputs.agent.version,
      purl: packageUrl('generic', 'plinthd', inputs.agent.version),
      license: 'Apache-2.0',
      files: files.filter(({ path }) => path === inputs.agent.path),
      contains: unique([runtimeId, ...bundled]),
    },
    {
      id: 'plinth-files',
      kind: 'application',
      name: `${inputs.name}-files`,
      version: inputs.version,
      purl: packageUrl('generic', `${inputs.name}-files`, inputs.version),
      license: 'Apache-2.0',
      files: files.filter(({ path }) => path !== inputs.agent.path),
      contains: unique(['plinth-agent', ...ownModules]),
    },
    {
      id: 'linux-kernel',
      kind: 'kernel',
      name: 'linux',
      version: inputs.kernel.release,
      purl: packageUrl('generic', 'linux', inputs.kernel.release),
      sha256: inputs.kernel.sha256,
      files: [],
      contains: kernelPackage ? [componentId('deb', kernelPackage.name)] : [],
    },
  ];
}

/** SPDX 2.3, annex D. Modules also write "SEE LICENSE IN …" and the like, which says nothing to a machine. */
function isLicenseExpression(text: string | undefined): text is string {
  return /^\(*[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) \(*[A-Za-z0-9.+-]+\)*)*\)*$/.test(text ?? '');
}

/** goComponents gives the toolchain's own library and every module of a Go program; replaced modules by what replaced them. */
export function goComponents(info: GoBuildInfo | undefined): BillComponent[] {
  if (!info) return [];
  const standard = { path: 'stdlib', version: info.goVersion.replace(/^go/, '') };
  const modules = info.modules.map((module): GoModule => module.replacedBy ?? module);
  return [standard, ...modules].map(({ path, version }) => ({
    ...plainComponent('go', path, version),
    purl: packageUrl('golang', path, version),
  }));
}

/** "golang-1.24 (= 1.24.4-1)" of a Built-Using field (Debian policy 7.8). */
function sourceComponents(field: string): BillComponent[] {
  const [, name, version] = /^(\S+) \(= (\S+)\)$/.exec(field) ?? [];
  if (name === undefined || version === undefined) return [];
  const purl = packageUrl('deb', `debian/${name}`, version, { arch: 'source', distro: DISTRO });
  return [{ ...plainComponent('deb-source', name, version), purl }];
}

/** A library of which nothing but name and version is known. */
function plainComponent(origin: string, name: string, version: string): BillComponent {
  return {
    id: componentId(origin, name, version),
    kind: 'library',
    name,
    version,
    purl: packageUrl('generic', name, version),
    files: [],
    contains: [],
  };
}

function groupFiles(tree: BuiltTree): Map<string, BillFile[]> {
  const groups = new Map<string, BillFile[]>();
  for (const { path, owner, sha256, sha1 } of tree.entries) {
    if (sha256 === undefined || sha1 === undefined) continue;
    const group = groups.get(owner);
    if (group) group.push({ path, sha256, sha1 });
    else groups.set(owner, [{ path, sha256, sha1 }]);
  }
  return groups;
}

/** SPDX 2.3, 7.2: an identifier holds letters, digits, "." and "-". Anything else is written as its code point. */
function componentId(...parts: readonly string[]): string {
  return parts
    .join('-')
    .replaceAll(/[^A-Za-z0-9.-]/g, (character) => `.${character.codePointAt(0)?.toString(16)}.`);
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort(compareText);
}
