import type {
  BinaryComponent,
  GoModuleVersion,
  GoProgram,
  Inventory,
  NpmModule,
  Provenance,
  SourceVersion,
} from '../model/index.ts';
import { isPackageName, isPackageVersion, parseSourceField } from './debian-fields.ts';
import type { PackageUrl } from './package-url.ts';

/** One entry of a bill of materials, in the words both formats share. */
export interface BillItem {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: PackageUrl;
  readonly source?: SourceVersion;
  /** Ids of what is compiled into it. */
  readonly contains: readonly string[];
  readonly files: readonly string[];
  /** Stands for the image, a device or what holds others together: no part that could have a flaw of its own. */
  readonly isFrame: boolean;
}

export interface SortedBill {
  readonly subject: Pick<Inventory['subject'], 'architecture' | 'distribution' | 'codename'>;
  readonly parts: Pick<Inventory, 'binaries' | 'goPrograms' | 'npmModules' | 'gaps' | 'unread'>;
}

/** Release names by the number that package URLs carry; a distribution Plinth has no feed for stays nameless. */
const CODENAMES: Readonly<Record<string, string>> = {
  'debian-11': 'bullseye',
  'debian-12': 'bookworm',
  'debian-13': 'trixie',
  'debian-14': 'forky',
};

/** codenameOf gives Debian's name of a release from "debian-13", "debian-13.2" or "trixie"; empty when not known. */
export function codenameOf(distribution: string): string {
  const [, number] = /^(debian-\d+)/.exec(distribution) ?? [];
  if (number !== undefined) return CODENAMES[number] ?? '';
  const name = distribution.replace(/^debian-/, '');
  return [...Object.values(CODENAMES), 'sid'].includes(name) ? name : '';
}

/** sortBill puts the entries of a bill where they belong; what Plinth has no feed for counts as unread, by name. */
export function sortBill(items: readonly BillItem[], provenance: Provenance): SortedBill {
  const byId = new Map(items.map((item) => [item.id, item]));
  const binaries: BinaryComponent[] = [];
  const npmModules: NpmModule[] = [];
  const others: string[] = [];
  const linkedGo = new Set<string>();
  const goPrograms: GoProgram[] = [];
  for (const item of items) {
    const inside = item.contains.flatMap((id) => byId.get(id) ?? []);
    const go = inside.filter(({ purl }) => purl?.type === 'golang');
    if (go.length > 0) {
      goPrograms.push(goProgram(item, go, provenance));
      for (const { id } of go) linkedGo.add(id);
    }
    if (isDebianBinary(item)) binaries.push(binaryOf(item, inside, provenance));
    else if (item.purl?.type === 'npm') npmModules.push(npmOf(item, item.purl, provenance));
    else if (!isCovered(item)) others.push(`${item.name} ${item.version}`.trim());
  }
  // What holds modules itself is a program, and was told above.
  const loose = items.filter(
    ({ id, purl, contains }) => purl?.type === 'golang' && !linkedGo.has(id) && !holdsGo(contains, byId),
  );
  if (loose.length > 0) goPrograms.push(goProgram({ name: provenance.locator }, loose, provenance));
  const qualifiers = items.find(
    ({ purl }) => purl?.type === 'deb' && purl.qualifiers['distro'] !== undefined,
  )?.purl;
  const distribution = qualifiers?.qualifiers['distro'] ?? '';
  return {
    subject: {
      architecture: items.find(isDebianBinary)?.purl?.qualifiers['arch'] ?? '',
      distribution,
      codename: codenameOf(distribution),
    },
    parts: {
      binaries,
      goPrograms,
      npmModules,
      gaps: [],
      unread:
        others.length === 0
          ? []
          : [
              `no feed speaks of ${others.length} parts that are no Debian, Go or npm package: ${shorten(others)}`,
            ],
    },
  };
}

function holdsGo(ids: readonly string[], byId: ReadonlyMap<string, BillItem>): boolean {
  return ids.some((id) => byId.get(id)?.purl?.type === 'golang');
}

function isDebianBinary({ purl, name, version }: BillItem): boolean {
  if (purl?.type !== 'deb' || purl.qualifiers['arch'] === 'source') return false;
  return isPackageName(name) && isPackageVersion(version);
}

/** Whether an entry that is no package of its own is looked at elsewhere, or is no part at all. */
function isCovered({ purl, contains, isFrame }: BillItem): boolean {
  if (purl === undefined) return isFrame || contains.length > 0;
  return purl.type === 'golang' || (purl.type === 'deb' && purl.qualifiers['arch'] === 'source');
}

function binaryOf(item: BillItem, inside: readonly BillItem[], provenance: Provenance): BinaryComponent {
  const qualifiers = item.purl?.qualifiers ?? {};
  const upstream = qualifiers['upstream'];
  const source =
    item.source ??
    parseSourceField(
      upstream === undefined ? '' : upstream.replace(/^([^@]+)@(.+)$/, '$1 ($2)'),
      item.name,
      item.version,
    );
  const epoch = qualifiers['epoch'];
  const withEpoch = epoch !== undefined && epoch !== '0' && !item.version.includes(':');
  return {
    name: item.name,
    version: withEpoch ? `${epoch}:${item.version}` : item.version,
    architecture: qualifiers['arch'] ?? '',
    source: source.source,
    sourceVersion: withEpoch && !source.version.includes(':') ? `${epoch}:${source.version}` : source.version,
    builtUsing: inside
      .filter(({ purl }) => purl?.type === 'deb' && purl.qualifiers['arch'] === 'source')
      .map(({ name, version }) => ({ source: name, version })),
    staticBuiltUsing: [],
    filesPresent: item.files.length > 0 ? 'some' : 'unknown',
    provenance,
  };
}

function goProgram(
  { name, files = [] }: { readonly name: string; readonly files?: readonly string[] },
  items: readonly BillItem[],
  provenance: Provenance,
): GoProgram {
  const modules = items.map((item): GoModuleVersion => ({ path: item.name, version: item.version }));
  const toolchain = modules.find(({ path }) => path === 'stdlib');
  const [file] = files;
  return {
    path: files.length === 1 && file !== undefined ? file : name,
    goVersion: toolchain ? `go${toolchain.version.replace(/^v?(?:go)?/, '')}` : '',
    modules: modules.filter(({ path }) => path !== 'stdlib'),
    modulesRecorded: true,
    provenance,
  };
}

function npmOf({ version }: BillItem, purl: PackageUrl, provenance: Provenance): NpmModule {
  return {
    name: purl.namespace === '' ? purl.name : `${purl.namespace}/${purl.name}`,
    version: purl.version || version,
    provenance,
  };
}

function shorten(names: readonly string[]): string {
  const most = 6;
  return `${names.slice(0, most).join(', ')}${names.length > most ? `, and ${names.length - most} more` : ''}`;
}
