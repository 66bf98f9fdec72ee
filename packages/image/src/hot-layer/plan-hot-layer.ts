import { type Diagnostic, PlinthError } from '@plinth/base';
import { compareText } from '../compare-text.ts';
import type { FactsFile, ReleaseFacts } from '../release/facts/release-facts.ts';
import { whyNotHot } from './why-not-hot.ts';

/** What two releases are compared by for a hot layer. */
export type HotFacts = Pick<ReleaseFacts, 'version' | 'packages' | 'files'>;

/** One package that does not become part of the layer. */
export interface LeftOut {
  readonly package: string;
  /** Path and reason of each change that stands in the way. */
  readonly reasons: readonly string[];
}

/** What a hot layer is to hold. */
export interface HotLayerPlan {
  readonly fixes: readonly { readonly package: string; readonly from: string; readonly to: string }[];
  /** Taken from the newer release's tree, sorted by path; folders that the base has are not in it. */
  readonly entries: readonly FactsFile[];
  /** Files of the base that running programs may map; `after` is absent where a link now leads elsewhere. */
  readonly replaced: readonly { readonly path: string; readonly before: string; readonly after?: string }[];
  readonly added: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * planHotLayer decides what of a newer release can be laid over a base while it runs. A package comes whole or not at
 * all: its programs and libraries are made for each other. Pure.
 * @param wanted names of packages; empty for all that differ and can be hot
 * @throws hot-layer/cannot-be-hot when a wanted package is not possible, hot-layer/nothing-hot
 */
export function planHotLayer(base: HotFacts, next: HotFacts, wanted: readonly string[] = []): HotLayerPlan {
  const fixes: HotLayerPlan['fixes'][number][] = [];
  const leftOut: LeftOut[] = [];
  const entries: FactsFile[] = [];
  const replaced: HotLayerPlan['replaced'][number][] = [];
  const added: string[] = [];
  const before = byOwner(base);
  const after = byOwner(next);
  const versions = new Map(base.packages.map(({ name, version }) => [name, version]));
  for (const { name, version: to } of next.packages) {
    const from = versions.get(name);
    if ((wanted.length > 0 && !wanted.includes(name)) || from === to) continue;
    if (from === undefined) {
      leftOut.push({ package: name, reasons: ['the base does not have it'] });
      continue;
    }
    const change = changeOf(before.get(name) ?? new Map(), after.get(name) ?? new Map());
    if (change.reasons.length > 0) {
      leftOut.push({ package: name, reasons: change.reasons });
    } else if (change.replaced.length > 0) {
      fixes.push({ package: name, from, to });
      entries.push(...change.entries);
      replaced.push(...change.replaced);
      added.push(...change.added);
    }
  }
  refuseUnmet(wanted, fixes, leftOut);
  return {
    fixes: fixes.sort((a, b) => compareText(a.package, b.package)),
    entries: entries.sort((a, b) => compareText(a.path, b.path)),
    replaced: replaced.sort((a, b) => compareText(a.path, b.path)),
    added: added.sort(compareText),
    leftOut,
  };
}

interface PackageChange {
  readonly reasons: string[];
  readonly entries: FactsFile[];
  readonly replaced: HotLayerPlan['replaced'][number][];
  readonly added: string[];
}

function changeOf(
  before: ReadonlyMap<string, FactsFile>,
  after: ReadonlyMap<string, FactsFile>,
): PackageChange {
  const change: PackageChange = { reasons: [], entries: [], replaced: [], added: [] };
  for (const path of [...new Set([...before.keys(), ...after.keys()])].sort(compareText)) {
    const [old, fresh] = [before.get(path), after.get(path)];
    if (isSame(old, fresh)) continue;
    const why = whyNotHot(path, old, fresh);
    if (why !== undefined) {
      change.reasons.push(`${path}: ${why}`);
      continue;
    }
    if (fresh) change.entries.push(fresh);
    if (old?.kind === 'file' && old.sha256 !== undefined && old.sha256 !== fresh?.sha256) {
      const sha256 = fresh?.sha256;
      change.replaced.push({ path, before: old.sha256, ...(sha256 !== undefined && { after: sha256 }) });
    }
    if (!old && fresh?.kind !== 'dir') change.added.push(path);
  }
  return change;
}

function isSame(old: FactsFile | undefined, fresh: FactsFile | undefined): boolean {
  if (!old || !fresh) return old === fresh;
  return (
    old.kind === fresh.kind &&
    old.mode === fresh.mode &&
    old.target === fresh.target &&
    old.sha256 === fresh.sha256
  );
}

function byOwner(facts: HotFacts): Map<string, Map<string, FactsFile>> {
  const owners = new Map<string, Map<string, FactsFile>>();
  for (const file of facts.files) {
    const files = owners.get(file.owner) ?? new Map<string, FactsFile>();
    files.set(file.path, file);
    owners.set(file.owner, files);
  }
  return owners;
}

function refuseUnmet(
  wanted: readonly string[],
  fixes: HotLayerPlan['fixes'],
  leftOut: readonly LeftOut[],
): void {
  const found = new Set(fixes.map((fix) => fix.package));
  const lines: Diagnostic[] = leftOut.flatMap(({ package: name, reasons }) =>
    reasons.slice(0, 10).map((reason) => ({
      severity: 'error' as const,
      code: 'hot-layer/cannot-be-hot' as const,
      message: `${name}: ${reason}`,
    })),
  );
  const unmet = wanted.filter((name) => !found.has(name));
  if (unmet.length > 0)
    throw new PlinthError(
      'hot-layer/cannot-be-hot',
      `Cannot plan a hot layer with ${unmet.join(', ')}: ${leftOut.length > 0 ? `${leftOut.length} packages have changes that are not hot` : 'the releases do not differ in it'}, expected packages whose changes are`,
      { diagnostics: lines },
    );
  if (fixes.length === 0)
    throw new PlinthError(
      'hot-layer/nothing-hot',
      `Cannot plan a hot layer: nothing that differs can be replaced while a node runs, expected a changed library or daemon`,
      { diagnostics: lines },
    );
}
