import { compareDebianVersions } from '@plinth/base';
import { trueSource } from '../feeds/source-names.ts';
import type { BinaryComponent, Inventory } from '../model/index.ts';
import type { Knowledge } from './knowledge.ts';

/** A source package at the version that is in the image, with what of it is there. */
export interface SourceComponent {
  readonly source: string;
  readonly version: string;
  /** Binary packages of the image it is in. */
  readonly binaries: readonly BinaryComponent[];
  /** How it got in, when not as the binaries' own source. */
  readonly via?: string;
}

/**
 * sourceComponents names every source in an image once for each version: the binaries' own, with signed copies led
 * back to what was signed, and those compiled into others (Built-Using, Static-Built-Using); pure.
 */
export function sourceComponents({ binaries }: Pick<Inventory, 'binaries'>): SourceComponent[] {
  const own = new Map<string, { source: string; version: string; binaries: BinaryComponent[] }>();
  for (const binary of binaries) {
    const { source, version } = trueSource(binary);
    const known = own.get(`${source} ${version}`);
    if (known) known.binaries.push(binary);
    else own.set(`${source} ${version}`, { source, version, binaries: [binary] });
  }
  const built = new Map<string, SourceComponent & { binaries: BinaryComponent[] }>();
  for (const binary of binaries) {
    for (const { source, version } of [...binary.builtUsing, ...binary.staticBuiltUsing]) {
      const key = `${source} ${version}`;
      // The kernel image is "built using" linux, which it is.
      if (own.get(key)?.binaries.includes(binary)) continue;
      const via = `${binary.name} ${binary.version} was built using ${source} ${version}`;
      const known = built.get(key);
      if (!known) built.set(key, { source, version, binaries: [binary], via });
      else if (!known.binaries.includes(binary)) known.binaries.push(binary);
    }
  }
  return [...own.values(), ...built.values()];
}

/** Uploads for a stable release: an index that is half a day old need not have them yet. */
const FOR_STABLE = /[+~]deb\d+u\d+/;

/**
 * isStranger tells a source whose version is newer than any that the subject's release offers: out of backports, of
 * unstable, or somebody's own. Only where all suites are at hand; pure.
 */
export function isStranger(
  { source, version }: SourceComponent,
  { feeds, fixSuites, offers }: Knowledge,
): boolean {
  const own = new Set(fixSuites.map((suite) => `debian-index:${suite}`));
  const atHand = feeds.filter(({ name, condition }) => own.has(name) && condition === 'fresh').length;
  const offered = offers.filter((offer) => offer.source === source && own.has(offer.feed));
  return (
    atHand === own.size &&
    offered.length > 0 &&
    !FOR_STABLE.test(version) &&
    offered.every((offer) => compareDebianVersions(offer.version, version) < 0)
  );
}
