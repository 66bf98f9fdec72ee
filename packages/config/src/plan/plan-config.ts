import { isDeepStrictEqual } from 'node:util';
import type { Effect, Kind, RenderedFile } from '../framework/kind.ts';
import type { MachineConfig } from '../machine-config.ts';
import { renderConfig } from '../render-config.ts';
import { type Difference, diffConfig } from './diff-config.ts';

/** One value that a plan changes. */
export interface ConfigChange {
  /** The kind of document it is in. */
  readonly kind: string;
  /** "network.interfaces[52:54:00:0a:05:0b].addresses": entries of lists are named by what tells them apart. */
  readonly path: string;
  /** Undefined where the value is absent; "(secret)" in the place of secrets. */
  readonly from: unknown;
  readonly to: unknown;
  /** Whether a secret is in it; two secrets that differ both read "(secret)". */
  readonly secret: boolean;
  readonly effect: Effect;
}

/** What has to be done to get from one config to another. */
export interface ConfigPlan {
  readonly changes: readonly ConfigChange[];
  /** By path; a file that is the same before and after is not among them. */
  readonly files: readonly { readonly path: string; readonly action: 'write' | 'remove' }[];
  /** Each effect once, reboots last. */
  readonly effects: readonly Effect[];
  /** Whether a mistake in it can cut the node off from those who manage it. */
  readonly touchesNetwork: boolean;
}

/**
 * planConfig compares two valid configs. Applying the files of the plan to what renderConfig gave for `from` gives
 * exactly what it gives for `to`; equal configs give an empty plan.
 * @param from undefined: no config was applied so far
 */
export function planConfig(from: MachineConfig | undefined, to: MachineConfig): ConfigPlan {
  const differences = diffConfig(from, to);
  const changes = differences.map(({ field, kind, ...rest }) => ({
    ...rest,
    kind: kind.kind,
    effect: effectOf(kind, field, rest.from, rest.to),
  }));
  return {
    changes,
    files: planFiles(from ? renderConfig(from) : [], renderConfig(to)),
    effects: eachOnce(changes.map(({ effect }) => effect)),
    touchesNetwork: differences.some(cutsOff),
  };
}

/** planFiles is what turns one set of files into another. */
function planFiles(from: readonly RenderedFile[], to: readonly RenderedFile[]): ConfigPlan['files'] {
  const before = new Map(from.map((file) => [file.path, file]));
  const after = new Map(to.map((file) => [file.path, file]));
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path): ConfigPlan['files'] => {
    if (!after.has(path)) return [{ path, action: 'remove' }];
    return isDeepStrictEqual(before.get(path), after.get(path)) ? [] : [{ path, action: 'write' }];
  });
}

/** effectOf is the effect of a change in a field: that of the longest entry the field is, or is below. */
export function effectOf(kind: Kind, field: string, from: unknown, to: unknown): Effect {
  const [longest = ''] = Object.keys(kind.effects)
    .filter((entry) => isBelow(field, entry))
    .sort((a, b) => b.length - a.length);
  const effect = kind.effects[longest] ?? kind.effects[''];
  return typeof effect === 'function' ? effect(from, to) : effect;
}

function cutsOff({ kind, field }: Difference): boolean {
  return kind.reach.some((entry) => isBelow(field, entry) || isBelow(entry, field));
}

function isBelow(field: string, entry: string): boolean {
  return entry === '' || field === entry || field.startsWith(`${entry}.`);
}

const ORDER = ['live', 'reload', 'restart', 'reboot'];

function eachOnce(effects: readonly Effect[]): Effect[] {
  const distinct = new Map(effects.map((effect) => [JSON.stringify(effect), effect]));
  return [...distinct.values()].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}
