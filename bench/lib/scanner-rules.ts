import { compareDebianVersions } from '@plinth/base';
import type { Installed, TrackerRow } from './tracker-data.ts';

// How others match packages with the tracker's rows, stated anew from their published sources. Rules, not programs:
// what else those do (ignore rules, other data, severities) is not in here.

/** Which rows are open in a package. */
export type MatchRule = (
  installed: Installed,
  rows: ReadonlyMap<string, readonly TrackerRow[]>,
) => readonly TrackerRow[];

/**
 * debsecan 0.4.20.1: rows of the source, or of the binary's name when the source has none; open when the source's
 * version is below that of unstable and none of the others that have the fix.
 */
export const debsecanRule: MatchRule = ({ name, source, sourceVersion }, rows) => {
  const found = rows.get(source) ?? rows.get(name) ?? [];
  return found.filter(
    ({ source: of, fixed, unstable = fixed, fixedVersions }) =>
      of === source &&
      compareDebianVersions(sourceVersion, unstable) < 0 &&
      !fixedVersions.some((version) => compareDebianVersions(sourceVersion, version) === 0),
  );
};

/** trivy (pkg/detector/ospkg/debian): rows of the source; open when the source's version is below the fix. */
export const trivyRule: MatchRule = ({ source, sourceVersion }, rows) =>
  (rows.get(source) ?? []).filter(({ fixed }) => compareDebianVersions(sourceVersion, fixed) < 0);

/** grype (grype/matcher/dpkg): rows of the source by its version, and rows of the binary's own name by its own version. */
export const grypeRule: MatchRule = ({ name, version, source, sourceVersion }, rows) => {
  const below = (of: string, at: string) =>
    (rows.get(of) ?? []).filter(({ fixed }) => compareDebianVersions(at, fixed) < 0);
  return [...below(source, sourceVersion), ...below(name, version)];
};

/** idsBy gives what a rule finds in a system. */
export function idsBy(
  rule: MatchRule,
  installed: readonly Installed[],
  rows: readonly TrackerRow[],
): Set<string> {
  const bySource = Map.groupBy(rows, ({ source }) => source);
  return new Set(installed.flatMap((item) => rule(item, bySource).map(({ id }) => id)));
}
