import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type Finding,
  openAdvisoryStore,
  readSubject,
  type ScanReport,
  scanInventory,
} from '@plinth/advisory';
import { compareDebianVersions } from '@plinth/base';
import { type BinaryPackage, fetchIndexes, findMirrors, readLock, readScanKeyring } from '@plinth/debian';
import { runDebsecan, runTrivy, trivyDatabase } from './lib/scanner-programs.ts';
import { debsecanRule, grypeRule, idsBy, trivyRule } from './lib/scanner-rules.ts';
import { dpkgStatus, type Installed, trackerRows } from './lib/tracker-data.ts';

/**
 * Compares what Plinth finds open with what other scanners' rules find, on one system: the packages of the image's lock
 * and some more, at the versions of trixie's signed main index. The others need the tracker's data, which cannot be had
 * everywhere: rows of its shape are made from the signed indexes and the changelogs in the packages, by Plinth's own
 * reading. So this compares matching, not data. Usage: node bench/compare-scanners.ts [--debsecan PROGRAM] [--trivy PROGRAM]
 */
const MORE = [
  'jq',
  'curl',
  'libexpat1',
  'libcares2',
  'xz-utils',
  'runc',
  'containerd',
  'libnss3',
  'ca-certificates',
];
const ALSO = [
  'vim-tiny',
  'bpftool',
  'libheif1',
  'libpcre2-8-0',
  'libssl3t64',
  'zlib1g',
  'golang-1.24-go',
  'etcd-server',
];
const KERNEL = /^linux-image-\d[\d.]*\+deb13-cloud-amd64$/;
const SUITES = ['trixie', 'trixie-updates', 'trixie-security'];

const { values: programs } = parseArgs({
  options: { debsecan: { type: 'string', default: 'debsecan' }, trivy: { type: 'string', default: 'trivy' } },
});
const folder = mkdtempSync(join(tmpdir(), 'plinth-compare-'));
const store = await openAdvisoryStore(join(folder, 'feeds.sqlite'));
try {
  const packages = await packagesOfMain();
  const root = join(folder, 'root');
  mkdirSync(join(root, 'var/lib/dpkg'), { recursive: true });
  mkdirSync(join(root, 'etc'));
  const status = join(root, 'var/lib/dpkg/status');
  writeFileSync(status, dpkgStatus(packages));
  writeFileSync(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n');
  writeFileSync(join(root, 'etc/debian_version'), '13.7\n');

  const inventory = await readSubject(root);
  const report = await scanInventory(inventory, store, {});
  const trivy = { program: programs.trivy, cache: join(folder, 'trivy') };
  const installed: readonly Installed[] = inventory.binaries;
  const sources = [...new Set([...installed.map(({ source }) => source), 'linux'])];
  const rows = (read: Parameters<typeof trackerRows>[3]) => trackerRows(store, sources, SUITES, read);
  const curated = await rows('fixes');
  const { counts, looked } = report;
  console.log(
    `system   ${looked.binaries} packages of ${looked.sources} sources, trixie's main index, amd64`,
  );
  console.log(
    `rows     ${curated.length} of ${new Set(curated.map(({ source }) => source)).size} sources, as the tracker has them`,
  );
  console.log(
    `plinth   ${counts.open} open, ${counts['not-affected']} not affected, ${counts.unknown} unknown\n`,
  );

  trivyDatabase(trivy.cache, curated);
  compare(
    'debsecan, the program',
    runDebsecan(programs.debsecan, folder, status, curated, installed),
    report,
  );
  compare('trivy, the program', runTrivy(trivy, 'rootfs', root), report);
  compare("debsecan's rule", idsBy(debsecanRule, installed, curated), report);
  compare("trivy's rule", idsBy(trivyRule, installed, curated), report);
  compare("grype's rule", idsBy(grypeRule, installed, curated), report);

  // linux-sysctl-defaults, one file, is of the source linux; the kernel image itself is of a source that signs it.
  const fewer = packages.filter(({ source }) => source !== 'linux');
  const names = new Set(fewer.map(({ name }) => name));
  const rest = installed.filter(({ name }) => names.has(name));
  writeFileSync(status, dpkgStatus(fewer));
  const image = await scanInventory(await readSubject(root), store, { offline: true });
  console.log('\nThe same without the other packages of linux, with the kernel image alone:');
  compare('debsecan, the program', runDebsecan(programs.debsecan, folder, status, curated, rest), image);
  compare('trivy, the program', runTrivy(trivy, 'rootfs', root), image);
  compare("trivy's rule", idsBy(trivyRule, rest, curated), image);
  compare("grype's rule", idsBy(grypeRule, rest, curated), image);

  // The same rule on other readings of the same changelogs: what a list that does not tell fixes from mentions costs.
  console.log('\nOther readings of the same changelogs:');
  compare(
    "trivy's rule, every identifier that is named",
    idsBy(trivyRule, installed, await rows('named')),
    report,
  );
  compare(
    "trivy's rule, top entries only",
    idsBy(trivyRule, installed, await rows('named in the top entry')),
    report,
  );
  console.log(
    '\nNot run: grype, of which no program is to be had here; and the real tracker, for which the rows stand.',
  );
} finally {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Packages of trixie's own index: before any update, so that there is something to find. */
async function packagesOfMain(): Promise<BinaryPackage[]> {
  const mirrors = await findMirrors();
  const [index] = await fetchIndexes(['trixie'], { mirrors, keyring: await readScanKeyring('trixie') });
  const lock = await readLock(fileURLToPath(new URL('../os/plinth.lock.json', import.meta.url)));
  const names = new Set([...lock.packages.map(({ name }) => name), ...MORE, ...ALSO]);
  const all = index?.packages ?? [];
  const kernel = all
    .filter(({ name }) => KERNEL.test(name))
    .sort((a, b) => compareDebianVersions(a.version, b.version))
    .at(-1);
  return all.filter((item) => names.has(item.name) || item === kernel);
}

function compare(what: string, theirs: ReadonlySet<string> | undefined, { findings }: ScanReport): void {
  if (!theirs) {
    console.log(`${what}: NOT RUN, it is not here (--debsecan PROGRAM, --trivy PROGRAM)`);
    return;
  }
  const open = findings.filter(({ verdict }) => verdict === 'open');
  const names = ({ vulnerability: { id, aliases } }: Finding) => [id, ...aliases];
  const both = open.filter((finding) => names(finding).some((name) => theirs.has(name)));
  const ours = open.filter((finding) => !both.includes(finding));
  const known = new Set(both.flatMap(names));
  const knowsKernel = both.some(({ components }) => components.some(({ name }) => name === 'linux'));
  const others = [...theirs].filter((id) => !known.has(id));
  const byName = new Map(
    findings.flatMap((finding) => names(finding).map((name) => [name, finding] as const)),
  );
  console.log(`${what}: both ${both.length}, only plinth ${ours.length}, only they ${others.length}`);
  list(
    'only plinth',
    ours.map((finding) => [whyOurs(finding, knowsKernel), finding.vulnerability.id] as const),
  );
  list(
    'only they',
    others.map((id) => [whyTheirs(byName.get(id)), id] as const),
  );
}

function list(side: string, items: readonly (readonly [string, string])[]): void {
  for (const [reason, group] of Map.groupBy(items, ([why]) => why)) {
    const some = group.slice(0, 3).map(([, id]) => id);
    console.log(
      `  ${side} ${String(group.length).padStart(5)}  ${reason}: ${some.join(', ')}${group.length > 3 ? ', …' : ''}`,
    );
  }
}

function whyOurs({ vulnerability: { id }, components }: Finding, knowsKernel: boolean): string {
  if (id.startsWith('UPDATE:')) return 'a security update that names no identifier';
  if (!id.startsWith('CVE-')) return 'no CVE, only another name';
  if (components.every(({ via }) => via !== undefined)) return 'built into another package (Built-Using)';
  const isKernel = components.every(({ name }) => name === 'linux');
  if (isKernel && !knowsKernel) return 'the kernel, whose package comes from a source that signs linux';
  return `else, in ${[...new Set(components.map(({ name }) => name))].join(' ')}`;
}

function whyTheirs(finding: Finding | undefined): string {
  if (!finding)
    return 'named, and no fix by the changelog (a mention, a dropped patch, a regression), or fixed before';
  const [decisive] = finding.evidence;
  if (finding.verdict === 'not-affected') return `not affected, by ${decisive?.source} (${decisive?.kind})`;
  return `${finding.verdict} here`;
}
