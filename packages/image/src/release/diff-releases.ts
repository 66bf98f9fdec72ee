import { diffFacts, type ReleaseDiff } from './facts/diff-facts.ts';
import { readFacts } from './read-release.ts';

/**
 * diffReleases compares two release folders: packages, files, units, kernel options, setuid files, ports, sizes.
 * @throws release/not-found, release/facts-invalid, host/io
 */
export async function diffReleases(from: string, to: string): Promise<ReleaseDiff> {
  const [before, after] = await Promise.all([readFacts(from), readFacts(to)]);
  return diffFacts(before, after);
}
