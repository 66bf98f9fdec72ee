import { readFileSync } from 'node:fs';
import { PlinthError } from '@plinth/base';
import { type BuildCondition, formatCondition, parseCondition } from './condition.ts';
import type { FileConditions } from './make-kernel-map.ts';

/** What the source tree of one kernel series says: which file needs which symbols, and which folders exist. */
export interface KernelMap {
  /** "6.12". */
  readonly series: string;
  /** Version of the source package it was made from. */
  readonly version: string;
  /** The folder below arch/: "x86". */
  readonly architecture: string;
  readonly files: FileConditions;
  /** Files of each folder, its own only: "drivers/net" → paths. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
}

const MAGIC = 'plinth-kernel-map 1';
const LINE_LIMIT = 200_000;

/**
 * formatKernelMap writes a map as text: a folder per "d" line, then a "c" line for each condition with the names of
 * its files. Sorted, so that two maps of the same tree are the same bytes.
 */
export function formatKernelMap(map: Pick<KernelMap, 'version' | 'architecture' | 'files'>): string {
  const folders = new Map<string, Map<string, string[]>>();
  for (const [path, condition] of [...map.files].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(0, slash));
    const groups = folders.get(folder) ?? new Map<string, string[]>();
    folders.set(folder, groups);
    const written = formatCondition(condition);
    groups.set(written, [...(groups.get(written) ?? []), path.slice(slash + 1)]);
  }
  const lines = [MAGIC, `linux ${map.version} ${map.architecture}`];
  for (const [folder, groups] of folders) {
    lines.push(`d ${folder}`);
    for (const [condition, names] of groups) lines.push(`c ${condition} ${names.join(' ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * parseKernelMap reads what formatKernelMap wrote.
 * @throws advisory/kernel-map
 */
export function parseKernelMap(text: string): KernelMap {
  const lines = text.split('\n');
  const [magic, about = ''] = lines;
  const [, version, architecture] = /^linux (\S+) (\S+)$/.exec(about) ?? [];
  const series = /^\d+\.\d+/.exec(version ?? '')?.[0];
  if (magic !== MAGIC || !version || !architecture || !series || lines.length > LINE_LIMIT) {
    throw new PlinthError(
      'advisory/kernel-map',
      `Cannot read the kernel map: it begins "${String(magic).slice(0, 40)}", expected "${MAGIC}"`,
      {
        hint: 'Make it again: node tools/make-kernel-map.ts.',
      },
    );
  }
  const files = new Map<string, BuildCondition>();
  const folders = new Map<string, string[]>();
  let own: string[] = [];
  let folder = '';
  for (const line of lines.slice(2)) {
    if (line.startsWith('d ')) {
      folder = line.slice(2);
      own = [];
      folders.set(folder, own);
    } else if (line.startsWith('c ')) {
      const [, written = 'y', ...names] = line.split(' ');
      const condition = parseCondition(written);
      for (const name of names) {
        const path = folder === '' ? name : `${folder}/${name}`;
        files.set(path, condition);
        own.push(path);
      }
    }
  }
  return { series, version, architecture, files, folders };
}

const loaded = new Map<string, KernelMap | undefined>();

/**
 * kernelMapFor gives the map of the series that a kernel release belongs to ("6.12.117+deb13-cloud-amd64"); undefined
 * when there is none for it: then nothing is said about its files.
 * @throws advisory/kernel-map
 */
export function kernelMapFor(release: string): KernelMap | undefined {
  const series = /^\d{1,3}\.\d{1,3}/.exec(release)?.[0];
  if (series === undefined) return undefined;
  if (!loaded.has(series)) {
    const text = readIfPresent(new URL(`../../../data/kernel-map-${series}.txt`, import.meta.url));
    loaded.set(series, text === undefined ? undefined : parseKernelMap(text));
  }
  return loaded.get(series);
}

function readIfPresent(url: URL): string | undefined {
  try {
    return readFileSync(url, 'utf8');
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined;
    throw reason;
  }
}
