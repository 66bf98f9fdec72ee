import { execFileSync, spawnSync } from 'node:child_process';
import { compareDebianVersions } from '@plinth/base';
import { fetchIndexes, findMirrors } from '@plinth/debian';

/**
 * Compares every version of Debian's real indexes with others by Plinth's order and by dpkg's, and prints how often
 * they disagree (asked: never, over a million pairs). Two oracles: Dpkg::Version, dpkg's own Perl module, for all
 * pairs, and the program `dpkg --compare-versions` for a sample.
 * Usage: node bench/dpkg-versions.ts [--pairs N]
 */
const WANTED_PAIRS = Number(process.argv[process.argv.indexOf('--pairs') + 1]) || 1_200_000;
const PROGRAM_PAIRS = 3_000;
const SUITES = ['trixie', 'trixie-security', 'trixie-updates', 'trixie-backports'];
/** Reads "a b" lines and answers -1, 0 or 1 a line. */
const ORACLE =
  'use Dpkg::Version; while (<STDIN>) { chomp; my ($a, $b) = split / /; print version_compare($a, $b), "\\n" }';

const indexes = await fetchIndexes(SUITES, { mirrors: await findMirrors() });
const versions = [
  ...new Set(
    indexes.flatMap(({ packages }) =>
      packages.flatMap(({ version, sourceVersion }) => [version, sourceVersion]),
    ),
  ),
];
console.log(`versions  ${versions.length} distinct, of ${SUITES.join(', ')}`);

/** Neighbours in order are the hard pairs: they share long beginnings. The rest is spread by a fixed step. */
const sorted = versions.toSorted(compareDebianVersions);
const pairs: (readonly [string, string])[] = [];
for (
  let distance = 1;
  pairs.length < WANTED_PAIRS;
  distance = distance < 12 ? distance + 1 : distance * 2 + 1
) {
  for (const [index, a] of sorted.entries()) {
    const b = sorted[(index + distance) % sorted.length];
    if (b !== undefined && pairs.length < WANTED_PAIRS) pairs.push(index % 2 === 0 ? [a, b] : [b, a]);
  }
}

const startMs = performance.now();
const ours = pairs.map(([a, b]) => Math.sign(compareDebianVersions(a, b)));
const oursMs = performance.now() - startMs;
const answers = execFileSync('perl', ['-e', ORACLE], {
  input: pairs.map((pair) => pair.join(' ')).join('\n'),
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
})
  .trim()
  .split('\n')
  .map(Number);
const disagreements = pairs.filter((_, index) => ours[index] !== Math.sign(answers[index] ?? Number.NaN));
for (const [a, b] of disagreements.slice(0, 10)) console.log(`differs   ${a} ${b}`);
console.log(
  `pairs     ${pairs.length} against Dpkg::Version: ${disagreements.length} disagreements, expected 0`,
);
console.log(`time      ${(oursMs / 1000).toFixed(2)} s for Plinth's order`);

const step = Math.max(1, Math.floor(pairs.length / PROGRAM_PAIRS));
const sample = pairs.filter((_, index) => index % step === 0).slice(0, PROGRAM_PAIRS);
const wrong = sample.filter(([a, b]) => {
  const order = compareDebianVersions(a, b);
  const relation = order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq';
  return spawnSync('dpkg', ['--compare-versions', a, relation, b]).status !== 0;
});
console.log(`pairs     ${sample.length} against dpkg itself: ${wrong.length} disagreements, expected 0`);
process.exitCode = disagreements.length + wrong.length === 0 ? 0 : 1;
