import type { z } from 'zod';
import type { DeepReadonly, Kind } from './framework/kind.ts';
import { kinds } from './kinds/index.ts';

export const API_VERSION = 'plinth.dev/v1alpha1';

type Registered = (typeof kinds)[number];
type Of<C> = Extract<Registered, { readonly count: C }>;
type Value<K> = K extends { readonly schema: infer S extends z.ZodType } ? DeepReadonly<z.infer<S>> : never;

type One = { readonly [K in Of<'one'> as K['property']]: Value<K> };
type AtMostOne = { readonly [K in Of<'at-most-one'> as K['property']]?: Value<K> };
type Many = { readonly [K in Of<'many'> as K['property']]: readonly Value<K>[] };

/** What a node is told: one property for each kind, of which only those that stand many times are lists. */
export type MachineConfig = One & AtMostOne & Many;

/** The kinds without their exact types, for what treats all of them alike. */
export const allKinds: readonly Kind[] = kinds;

/** heldBy is what a config holds for a kind: a value, undefined, or a list of values. */
export function heldBy(config: MachineConfig, kind: Kind): unknown {
  return (config as Readonly<Record<string, unknown>>)[kind.property];
}

/** valuesOf are the values a config holds for a kind: none, one or many. */
export function valuesOf(config: MachineConfig, kind: Kind): readonly unknown[] {
  const held = heldBy(config, kind);
  if (kind.count === 'many') return held as readonly unknown[];
  return held === undefined ? [] : [held];
}
