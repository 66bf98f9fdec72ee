import type { KernelMap } from './kernel-map.ts';
import { ARCHITECTURES, ROOTS } from './subsystems.ts';
import { normalName, type TreeIndex, treeIndexOf } from './tree-index.ts';

/** What a commit's subject says about where the change is. */
export interface SubjectPlace {
  /** Debian names of the only architectures it is for; absent: not limited. */
  readonly architectures?: readonly string[];
  /** Every source file that the change may be in; empty when the subject does not tell. */
  readonly files: readonly string[];
  /** The words it went by: "wifi: ath11k". */
  readonly words: string;
  /** Whether a file may be outside of `files`: code of the kernel's core is spread over files that no name tells. */
  readonly spread: boolean;
}

/** Names that many folders share: they count only directly below the folder named before. */
const COMMON = new Set(
  'core main common driver drivers host hub class dev device bus mem memory pci sysfs debugfs init util utils lib base debug trace irq fs net usb block test tests fix remove add api sched inode file super dir'.split(
    ' ',
  ),
);
/**
 * Folders whose subsystems reach into each other: "bootconfig" is fs/proc/bootconfig.c and a function of init/main.c,
 * compiled whether or not its symbol is on.
 */
const CORE =
  /^(?:kernel|mm|init|lib|ipc|block|virt|io_uring|crypto|certs|net\/core|fs\/proc|fs\/sysfs|fs\/debugfs|security\/keys|arch\/x86)\/|^(?:fs|net|security)\/[^/]+$/;
const SEGMENT_LIMIT = 6;
/** Git's own advice is 50; the longest real one in a changelog has 180. */
const SUBJECT_LIMIT_CHARACTERS = 500;

/**
 * placeOfSubject reads the prefix of a kernel commit's subject ("wifi: ath11k: fix …") as a place in the source tree.
 * It gives the union of all places that fit: a file too many makes a verdict weaker, a file too few would make it wrong.
 */
export function placeOfSubject(subject: string, map: KernelMap): SubjectPlace {
  const { architectures, rest } = withoutTag(
    subject.slice(0, SUBJECT_LIMIT_CHARACTERS).replaceAll(/\s+/g, ' ').trim(),
  );
  const segments = segmentsOf(rest);
  const limited = architectures ?? architectureOf(segments);
  const { files, depth, literal } = resolveOnce(segments, treeIndexOf(map));
  return {
    ...(limited ? { architectures: limited } : {}),
    files,
    words: segments.slice(0, depth).join(': '),
    spread: !literal && files.some((file) => CORE.test(file)),
  };
}

/** "[arm64,armhf] KVM: …" as Debian writes it before the subject. */
function withoutTag(subject: string): { readonly architectures?: readonly string[]; readonly rest: string } {
  const match = /^\[([a-z0-9*, /]+)\] (.*)$/.exec(subject);
  if (!match) return { rest: subject };
  const names = (match[1] ?? '').split(/[, /]+/);
  const known = names.map((name) => ARCHITECTURES[name]);
  const rest = match[2] ?? '';
  return known.every((each) => each !== undefined) ? { architectures: known.flat(), rest } : { rest };
}

/** "s390/pci: …", "KVM: arm64: …", "LoongArch: …": such changes are made for one architecture only. */
function architectureOf(segments: readonly string[]): readonly string[] | undefined {
  const [first = '', second = ''] = segments.map((segment) => segment.toLowerCase());
  return ARCHITECTURES[first === 'kvm' ? second : first];
}

/** The parts of the prefix, at colons and slashes: "drm/amd/display: fix" → drm, amd, display. */
function segmentsOf(subject: string): readonly string[] {
  const segments: string[] = [];
  let rest = subject;
  while (segments.length < SEGMENT_LIMIT) {
    const match = /^([A-Za-z0-9][\w.+/-]*(?: [\w.+/-]+){0,2})(?::| - )\s*(.*)$/.exec(rest);
    if (!match) break;
    segments.push(...(match[1] ?? '').split('/').filter((part) => part !== ''));
    rest = match[2] ?? '';
  }
  return segments;
}

interface Resolved {
  readonly files: readonly string[];
  /** How many segments were used. */
  readonly depth: number;
  /** Whether the segments are a path themselves: "mm/page_owner: …". */
  readonly literal: boolean;
}

const resolved = new WeakMap<TreeIndex, Map<string, Resolved>>();
const RESOLVED_LIMIT = 10_000;

/** One update has dozens of changes to one driver: each prefix is looked up once. */
function resolveOnce(segments: readonly string[], index: TreeIndex): Resolved {
  const known = resolved.get(index) ?? new Map<string, Resolved>();
  resolved.set(index, known);
  const key = segments.join('\0');
  const place = known.get(key) ?? resolve(segments, index);
  if (known.size < RESOLVED_LIMIT) known.set(key, place);
  return place;
}

function resolve(segments: readonly string[], index: TreeIndex): Resolved {
  const [first] = segments;
  const named = rootsOf(segments);
  const asPath = longestPath(segments, index);
  const start = named ?? asPath ?? { roots: first === undefined ? [] : anywhere(first, index), depth: 1 };
  if (start.roots.length === 0) return { files: [], depth: 0, literal: false };
  // Folders marked "+" count as long as nothing narrows the place down.
  const roots = start.roots.filter((root) => !root.startsWith('+'));
  let all: readonly string[] = start.roots.map((root) => root.replace(/^\+/, ''));
  let depth = start.depth;
  let reached: readonly string[] = roots;
  for (const [at, segment] of segments.slice(depth).entries()) {
    reached = below(reached, segment, index);
    if (reached.length === 0) break;
    // Words behind one that only fits by chance still tell: "net: ethernet: mtk_eth_soc".
    if (!isUnit(segment, reached, index)) continue;
    // "xfs: quota" is more than scrub/quota.c: every file of the symbol belongs to it.
    const within = depth === start.depth ? roots : all;
    all = [...reached, ...index.needing(symbolWord(segment)).filter((file) => isBelow(file, within))];
    depth = start.depth + at + 1;
  }
  const files = new Set(all.flatMap((root) => index.filesBelow(root)));
  return { files: [...files], depth, literal: named === undefined && asPath?.depth === depth };
}

/** The longest row of segments that the table of subsystems knows. */
function rootsOf(segments: readonly string[]): Start | undefined {
  for (let depth = Math.min(3, segments.length); depth > 0; depth--) {
    const roots = ROOTS[segments.slice(0, depth).join('/').toLowerCase()];
    if (roots) return { roots, depth };
  }
  return undefined;
}

interface Start {
  readonly roots: readonly string[];
  readonly depth: number;
}

/** "mm/damon/core", "net/sched": a subject that is a path already. */
function longestPath(segments: readonly string[], index: TreeIndex): Start | undefined {
  for (let depth = segments.length; depth > 1; depth--) {
    const path = segments.slice(0, depth).join('/').toLowerCase();
    if (index.filesBelow(path).length > 0) return { roots: [path], depth };
  }
  return undefined;
}

/** Every folder and file of exactly this name in the tree; a part of a name would fit too much by chance. */
function anywhere(name: string, index: TreeIndex): readonly string[] {
  if (COMMON.has(normalName(name))) return [];
  const paths = index.named(name);
  return paths.length > 0 && isUnit(name, paths, index) ? paths : [];
}

/**
 * Whether a name is that of something that is compiled or left out by itself: it is written as only code is
 * ("mtk_eth_soc", "ath11k"), or all of its files need a symbol with it. "netdev" is neither: e1000e happens to have a
 * netdev.c, and a change that says "netdev: …" is in net/core.
 */
function isUnit(name: string, paths: readonly string[], index: TreeIndex): boolean {
  const words = normalName(name);
  if (/[\d_]/.test(words) || COMMON.has(words)) return true;
  const needing = new Set(index.needing(symbolWord(name)));
  return paths.every((path) => index.filesBelow(path).every((file) => needing.has(file)));
}

/** How a symbol of the configuration has the name in it. */
function symbolWord(name: string): string {
  return name.toUpperCase();
}

function isBelow(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path.startsWith(`${root}/`));
}

/** Folders and files below the roots that have the segment's words in their name. */
function below(roots: readonly string[], segment: string, index: TreeIndex): readonly string[] {
  const isCommon = COMMON.has(normalName(segment));
  return index.withWords(segment).filter((path) =>
    roots.some((root) => {
      if (!path.startsWith(`${root}/`)) return false;
      return !isCommon || !path.slice(root.length + 1).includes('/');
    }),
  );
}
