import type { Inventory, VexJustification, VexPredicate } from '../../model/index.ts';
import { isOff, isSurelyOn } from './condition.ts';
import { type KernelMap, kernelMapFor } from './kernel-map.ts';
import { placeOfSubject } from './subject-paths.ts';

/** A change to the kernel, as a record of its CVE authority or a line of Debian's changelog tells it. */
export interface KernelChange {
  /** "wifi: ath11k: fix …". */
  readonly subject: string;
  /** The files of the fix (`programFiles`); absent: the subject must do. */
  readonly files?: readonly string[];
}

export interface ProposedPredicate {
  readonly predicate: VexPredicate;
  readonly justification: VexJustification;
}

/**
 * Whether the changed code is in a kernel. `off`: every file of the change needs a symbol that is off. `elsewhere`: it is
 * code of other architectures. `on`: every file is compiled. `unknown`: anything else, always when data is missing.
 */
export interface KernelVerdict {
  readonly state: 'off' | 'elsewhere' | 'on' | 'unknown';
  /** With `off`: symbols that are all off, and without which none of the files is compiled. */
  readonly symbols?: readonly string[];
  readonly architectures?: readonly string[];
  /** Files looked at; the first few of them. */
  readonly files: readonly string[];
  readonly reason: string;
}

const NAMED_FILES = 5;
const SYMBOL_LIMIT = 40;
const FILE_LIMIT = 20_000;

/**
 * judgeKernelChange tells whether the code of a change is compiled into a kernel of this configuration. Pure.
 * @param architecture Debian's name, "amd64"
 * @param config "CONFIG_F2FS_FS" → "y" or "m"; a symbol that is off is not a key
 */
export function judgeKernelChange(
  change: KernelChange,
  architecture: string,
  config: Readonly<Record<string, string>>,
  map: KernelMap,
): KernelVerdict {
  const place = placeOfSubject(change.subject, map);
  const given = (change.files ?? []).filter(isKernelSource);
  if (place.architectures && !place.architectures.includes(architecture)) {
    return {
      state: 'elsewhere',
      architectures: place.architectures,
      files: given.slice(0, NAMED_FILES),
      reason: `the change is for ${place.architectures.join(', ')} only`,
    };
  }
  // Makefiles of another architecture add and leave out files: they say nothing here.
  if (!DEBIAN_NAMES[map.architecture]?.includes(architecture)) {
    return {
      state: 'unknown',
      files: [],
      reason: `the kernel map is for ${map.architecture}, not for ${architecture}`,
    };
  }
  if (given.length > 0) return judgeFiles(given, 'the fix', architecture, config, map);
  const verdict = judgeFiles(place.files, `"${place.words}"`, architecture, config, map);
  if (!place.spread || verdict.state === 'unknown' || verdict.state === 'on') return verdict;
  return {
    state: 'unknown',
    files: verdict.files,
    reason: `"${place.words}" is code of the kernel's core, which is in more files than its name tells`,
  };
}

/** Folder below arch/ → Debian's names. */
const DEBIAN_NAMES: Readonly<Record<string, readonly string[]>> = { x86: ['amd64', 'i386'] };

/** Documentation and test programs are in no kernel, and what only says what to compile has no flaw in itself. */
function isKernelSource(path: string): boolean {
  return !/^(?:Documentation|tools|samples|scripts)\/|(?:^|\/)(?:Kconfig[^/]*|Makefile|Kbuild|MAINTAINERS)$/.test(
    path,
  );
}

interface Judged {
  readonly config: Readonly<Record<string, string>>;
  readonly architecture: string;
  readonly verdict: KernelVerdict;
}

/** The files of a place are the same array each time, and so is the configuration of one scan. */
const judged = new WeakMap<readonly string[], Judged>();

function judgeFiles(
  files: readonly string[],
  words: string,
  architecture: string,
  config: Readonly<Record<string, string>>,
  map: KernelMap,
): KernelVerdict {
  const known = judged.get(files);
  if (known?.config === config && known.architecture === architecture) return known.verdict;
  const verdict = judgeAnew(files, words, architecture, config, map);
  judged.set(files, { config, architecture, verdict });
  return verdict;
}

function judgeAnew(
  files: readonly string[],
  words: string,
  architecture: string,
  config: Readonly<Record<string, string>>,
  map: KernelMap,
): KernelVerdict {
  const named = files.slice(0, NAMED_FILES);
  if (files.length === 0 || files.length > FILE_LIMIT) {
    return { state: 'unknown', files: named, reason: `no place in the source tree is known for ${words}` };
  }
  const folders = files.map((path) => /^arch\/([^/]+)\//.exec(path)?.[1]);
  if (folders.every((folder) => folder !== undefined && folder !== map.architecture)) {
    const others = [...new Set(folders)].map((folder) => `arch/${folder}`);
    return {
      state: 'elsewhere',
      files: named,
      architectures: debianNames(folders),
      reason: `all of it is in ${others.join(', ')}`,
    };
  }
  const isOn = (symbol: string) => config[`CONFIG_${symbol}`] === 'y' || config[`CONFIG_${symbol}`] === 'm';
  const conditions = files.map((path) => map.files.get(path));
  const alternatives: string[][] = [];
  for (const condition of conditions) {
    if (condition === undefined) {
      return { state: 'unknown', files: named, reason: `a file of ${words} is in no Makefile that was read` };
    }
    if (!isOff(condition, isOn)) {
      const on = conditions.every((each) => each !== undefined && isSurelyOn(each, isOn));
      return on
        ? { state: 'on', files: named, reason: `all ${files.length} files of ${words} are compiled` }
        : {
            state: 'unknown',
            files: named,
            reason: `some of the ${files.length} files of ${words} are compiled`,
          };
    }
    alternatives.push(
      ...condition.map((symbols) => symbols.filter((symbol) => symbol !== '?' && !isOn(symbol))),
    );
  }
  const symbols = coveringSymbols(alternatives);
  if (symbols.length > SYMBOL_LIMIT) {
    return {
      state: 'unknown',
      files: named,
      reason: `${symbols.length} symbols would have to stay off for ${words}`,
    };
  }
  const list = symbols.map((symbol) => `CONFIG_${symbol}`);
  return {
    state: 'off',
    symbols: list,
    files: named,
    reason: `none of the ${files.length} files of ${words} is compiled on ${architecture} without ${list.join(', ')}`,
  };
}

/** A small set of symbols with at least one in each alternative: the one that is in most comes first. */
function coveringSymbols(alternatives: readonly (readonly string[])[]): readonly string[] {
  let open = alternatives;
  const chosen: string[] = [];
  while (open.length > 0) {
    const counts = new Map<string, number>();
    for (const symbol of open.flat()) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
    const [best] = [...counts].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1));
    if (!best) break;
    chosen.push(best[0]);
    open = open.filter((symbols) => !symbols.includes(best[0]));
  }
  return chosen.sort();
}

const FOLDER_NAMES: Readonly<Record<string, readonly string[]>> = {
  arm: ['armhf', 'armel'],
  arm64: ['arm64'],
  loongarch: ['loong64'],
  mips: ['mips64el', 'mipsel'],
  parisc: ['hppa'],
  powerpc: ['ppc64el'],
  riscv: ['riscv64'],
  s390: ['s390x'],
  sparc: ['sparc64'],
};

function debianNames(folders: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(folders.flatMap((folder) => FOLDER_NAMES[folder ?? ''] ?? [folder ?? 'other']))].sort();
}

interface Asked {
  readonly change: KernelChange;
  readonly verdict: KernelVerdict;
}

/** Each change is asked about twice in a row: for what would refute it, and for what confirms it. */
const askedLast = new WeakMap<Inventory, Asked>();

/** What is known of a change in the image's own kernel; undefined without its configuration, or a map of its series. */
function judgeInImage(change: KernelChange, inventory: Inventory): KernelVerdict | undefined {
  const { kernel, subject } = inventory;
  const last = askedLast.get(inventory);
  if (last?.change.subject === change.subject && last.change.files === change.files) return last.verdict;
  const map = kernel?.config && kernelMapFor(kernel.release);
  if (!map || !kernel?.config) return undefined;
  const verdict = judgeKernelChange(change, subject.architecture, kernel.config, map);
  askedLast.set(inventory, { change, verdict });
  return verdict;
}

/** explainCompiledKernel says that all code of a change is compiled into the image's kernel; undefined where nothing shows it. */
export function explainCompiledKernel(change: KernelChange, inventory: Inventory): string | undefined {
  const verdict = judgeInImage(change, inventory);
  if (verdict?.state !== 'on') return undefined;
  return `${verdict.reason} into kernel ${inventory.kernel?.release ?? ''}: ${verdict.files.join(', ')}`;
}

/**
 * proposeKernelPredicates gives what would show that a change does not concern the image's kernel, for evaluatePredicate
 * to ask; none when nothing of the kind is known.
 */
export function proposeKernelPredicates(
  change: KernelChange,
  inventory: Inventory,
): readonly ProposedPredicate[] {
  const verdict = judgeInImage(change, inventory);
  const justification: VexJustification = 'vulnerable_code_not_present';
  if (verdict?.state === 'off' && verdict.symbols) {
    return [{ predicate: { kind: 'config-off', symbols: verdict.symbols }, justification }];
  }
  if (verdict?.state === 'elsewhere' && verdict.architectures) {
    return [{ predicate: { kind: 'other-architecture', affected: verdict.architectures }, justification }];
  }
  return [];
}
