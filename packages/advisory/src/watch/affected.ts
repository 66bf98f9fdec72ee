import { join } from 'node:path';
import { hashText } from '@plinth/host';
import { sourceComponents } from '../judge/index.ts';
import type { Finding, Inventory, KernelFacts } from '../model/index.ts';
import { scanInventory } from '../scan/scan.ts';
import type { AdvisoryStore } from '../store/index.ts';
import { readInventories, readKernel, type StoredInventory } from './inventory-files.ts';

/** What one stored release has to do with an identifier. */
export interface AffectedSubject {
  readonly subject: string;
  /** Absent: nothing that any feed at hand names together with the identifier is in it. */
  readonly finding?: Finding;
}

/**
 * affectedSubjects judges everything the watch ever looked at anew, for one identifier: the names of packages that feeds
 * connect with it lead to the subjects that have them; subjects alike in these are judged once. Nothing is fetched.
 * Evidence that needs the list of files is not there, so such a flaw stays open here.
 * @throws advisory/subject-invalid, host/io, advisory/store-failed
 */
export async function affectedSubjects(
  store: AdvisoryStore,
  folder: string,
  id: string,
  now: Date = new Date(),
): Promise<AffectedSubject[]> {
  const inventories = join(folder, 'inventories');
  const names = await namesOf(store, id);
  const packages = await store.packagesNamedWith(names);
  const kernels = new Map<string, KernelFacts>();
  const known = new Map<string, Finding | undefined>();
  const results: AffectedSubject[] = [];
  for (const stored of await readInventories(inventories)) {
    const part = partOf(stored, packages);
    if (!part) {
      results.push({ subject: stored.name });
      continue;
    }
    const key = hashText(
      JSON.stringify([{ ...part, subject: part.subject.codename, inputs: [] }, stored.kernel]),
    );
    if (!known.has(key)) {
      const kernel = await kernelOf(stored, inventories, kernels);
      const report = await scanInventory({ ...part, ...(kernel ? { kernel } : {}) }, store, {
        offline: true,
        all: true,
        now,
      });
      const finding = report.findings.find(({ vulnerability }) =>
        names.some((name) => vulnerability.id === name || vulnerability.aliases.includes(name)),
      );
      known.set(key, finding);
    }
    const finding = known.get(key);
    results.push({ subject: stored.name, ...(finding ? { finding } : {}) });
  }
  return results;
}

/** isNamedByFeeds tells whether any feed at hand connects an identifier with a package: if none does, nothing can be told. */
export async function isNamedByFeeds(store: AdvisoryStore, id: string): Promise<boolean> {
  return (await store.packagesNamedWith(await namesOf(store, id))).size > 0;
}

async function namesOf(store: AdvisoryStore, id: string): Promise<string[]> {
  return [id, ...(await store.aliases([id])).map(([, other]) => other)];
}

/** The part of an inventory that has to do with these packages; undefined when there is none. */
function partOf({ inventory }: StoredInventory, packages: ReadonlySet<string>): Inventory | undefined {
  const binaries = inventory.binaries.filter((binary) =>
    sourceComponents({ binaries: [binary] }).some(
      ({ source }) =>
        packages.has(`debian ${source}`) || (packages.has('go stdlib') && /^golang-1\.\d+$/.test(source)),
    ),
  );
  const goPrograms = inventory.goPrograms.filter(
    ({ main, modules, goVersion }) =>
      [...modules, ...(main ? [main] : [])].some(({ path }) => packages.has(`go ${path}`)) ||
      (goVersion !== '' && packages.has('go stdlib')),
  );
  const npmModules = inventory.npmModules.filter(({ name }) => packages.has(`npm ${name}`));
  if (binaries.length + goPrograms.length + npmModules.length === 0) return undefined;
  return { ...inventory, binaries, goPrograms, npmModules, gaps: [] };
}

async function kernelOf(
  { kernel: name }: StoredInventory,
  folder: string,
  kernels: Map<string, KernelFacts>,
): Promise<KernelFacts | undefined> {
  if (name === undefined) return undefined;
  const known = kernels.get(name);
  if (known) return known;
  const facts = await readKernel(folder, name);
  kernels.set(name, facts);
  return facts;
}
