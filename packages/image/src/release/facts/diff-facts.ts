import { compareText } from '../../compare-text.ts';
import type { FactsFile, Listener, ReleaseFacts } from './release-facts.ts';

/** One difference: `from` is absent for what is new, `to` for what is gone. */
export interface Change {
  readonly what: string;
  readonly from?: string;
  readonly to?: string;
}

/** What differs between two releases, each list sorted by name. Empty lists everywhere: the same content. */
export interface ReleaseDiff {
  readonly from: string;
  readonly to: string;
  readonly packages: readonly Change[];
  readonly files: readonly Change[];
  readonly units: readonly Change[];
  readonly kernelConfig: readonly Change[];
  /** Files that are setuid or setgid in one of the two. */
  readonly setuid: readonly Change[];
  /** What socket units listen on. */
  readonly ports: readonly Change[];
  /** In bytes. */
  readonly sizes: readonly Change[];
}

/** diffFacts compares two releases; pure. */
export function diffFacts(from: ReleaseFacts, to: ReleaseFacts): ReleaseDiff {
  const compare = (pick: (facts: ReleaseFacts) => Iterable<readonly [string, string]>) =>
    diffMaps(new Map(pick(from)), new Map(pick(to)));
  return {
    from: from.version,
    to: to.version,
    packages: compare(({ packages }) => packages.map(({ name, version }) => [name, version])),
    files: compare(({ files }) => files.map((file) => [file.path, describeFile(file)])),
    units: compare(({ enabledUnits }) => enabledUnits.map(unitPair)),
    kernelConfig: compare(({ kernelConfig }) => Object.entries(kernelConfig)),
    setuid: compare(({ files }) => files.filter(isPrivileged).map((file) => [file.path, octal(file.mode)])),
    ports: compare(({ listeners }) => listeners.map(listenerPair)),
    sizes: compare(({ sizes }) => Object.entries(sizes).map(([name, size]) => [name, String(size)])),
  };
}

/** isSameContent tells whether a diff found nothing. */
export function isSameContent({ from: _from, to: _to, ...lists }: ReleaseDiff): boolean {
  return Object.values(lists).every((changes) => changes.length === 0);
}

function diffMaps(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): Change[] {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort(compareText);
  return names.flatMap((what) => {
    const [before, after] = [from.get(what), to.get(what)];
    if (before === after) return [];
    return [
      {
        what,
        ...(before === undefined ? {} : { from: before }),
        ...(after === undefined ? {} : { to: after }),
      },
    ];
  });
}

/** Everything about a file that a reader of a diff wants in one line. */
function describeFile({ kind, mode, target, sizeBytes, sha256 }: FactsFile): string {
  if (kind === 'symlink') return `-> ${target ?? ''}`;
  const content = kind === 'file' ? ` ${sizeBytes} bytes ${sha256?.slice(0, 16) ?? ''}` : '';
  return `${kind} ${octal(mode)}${content}`;
}

function isPrivileged({ kind, mode }: FactsFile): boolean {
  return kind === 'file' && (mode & 0o6000) !== 0;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function unitPair(text: string): [unit: string, state: string] {
  const space = text.indexOf(' ');
  return [text, `wanted by ${text.slice(space + 1)}`];
}

function listenerPair({ unit, kind, address, enabled }: Listener): [what: string, state: string] {
  return [`${address} (${kind}, ${unit})`, enabled ? 'enabled' : 'not enabled'];
}
