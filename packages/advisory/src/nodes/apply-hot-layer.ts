import { isSignedSource } from '../feeds/source-names.ts';
import { withoutRebuild } from '../inventory/debian-fields.ts';
import type { BinaryComponent, Inventory } from '../model/index.ts';
import type { LayerFix, MergedLayer } from './node-state.ts';

/**
 * applyHotLayer gives what runs where a hot layer is merged: the image with the layer's versions of its packages. A
 * layer brings packages whole, so their old versions are gone from /usr. What cannot be led from a version to its
 * source stays as it was in the image, and is said: open findings stay open rather than vanish. Pure.
 */
export function applyHotLayer(inventory: Inventory, { serial, fixes }: MergedLayer): Inventory {
  const byName = new Map(fixes.map((fix) => [fix.package, fix]));
  const strange: string[] = [];
  const seen = new Set<string>();
  const binaries = inventory.binaries.map((binary) => {
    const fix = byName.get(binary.name);
    if (!fix) return binary;
    seen.add(fix.package);
    const after = replaced(binary, fix);
    if (!after) strange.push(fix.package);
    return after ?? binary;
  });
  for (const fix of fixes) if (!seen.has(fix.package)) strange.push(fix.package);
  const programs = inventory.goPrograms.filter(({ package: name }) => name !== undefined && byName.has(name));
  return {
    ...inventory,
    binaries,
    unread: [
      ...(inventory.unread ?? []),
      ...(strange.length === 0
        ? []
        : [
            `hot layer ${serial} brings ${[...new Set(strange)].sort().join(', ')}, which cannot be compared with the image's papers: judged as in the image`,
          ]),
      ...(programs.length === 0
        ? []
        : [
            `what the Go programs of hot layer ${serial} were built from is not known: judged as in the image (${programs.map(({ path }) => path).join(', ')})`,
          ]),
    ],
  };
}

/** Undefined when the layer was made for another version, or its source's version cannot be told. */
function replaced(binary: BinaryComponent, fix: LayerFix): BinaryComponent | undefined {
  if (binary.version !== fix.fromVersion || isSignedSource(binary.source)) return undefined;
  const sourceVersion = withoutRebuild(fix.toVersion);
  // Only where the rule leads from the old binary to its source does it lead from the new one.
  if (withoutRebuild(binary.version) !== binary.sourceVersion) return undefined;
  return { ...binary, version: fix.toVersion, sourceVersion };
}
