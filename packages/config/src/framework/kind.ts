import type { z } from 'zod';

/** A file that a config makes on the node. */
export interface RenderedFile {
  /** Absolute. */
  readonly path: string;
  /** Permission bits, e.g. 0o644. The owner is root. */
  readonly mode: number;
  readonly text: string;
  /** Whether the text holds a secret, and must not be shown. */
  readonly secret: boolean;
}

/** What a change takes to come into effect: nothing, a unit that reads its files anew, or a reboot. */
export type Effect =
  | { readonly kind: 'live' }
  | { readonly kind: 'reload' | 'restart'; readonly unit: string }
  | { readonly kind: 'reboot'; readonly why: string };

/** The effect of one change, where it depends on the values; undefined: the value was or is absent. */
export type EffectOf = (from: unknown, to: unknown) => Effect;

/** How often a kind may stand in a config. A kind that stands many times is told apart by its field `name`. */
export type Count = 'one' | 'at-most-one' | 'many';

/** The readonly form of a value made of objects and arrays. */
export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** What a config holds for a kind: its value, perhaps, or all its values. */
export type Held<C extends Count, T> = C extends 'one'
  ? T
  : C extends 'at-most-one'
    ? T | undefined
    : readonly T[];

/** A kind of document, as data. Everything else (types, JSON Schema, reference, explain, plan) is made from it. */
export interface Kind<
  Name extends string = string,
  Property extends string = string,
  C extends Count = Count,
  Schema extends z.ZodType = z.ZodType,
> {
  /** The word after `kind:`. */
  readonly kind: Name;
  /** The property of MachineConfig that holds it, and the first word of paths in plans and diagnostics. */
  readonly property: Property;
  readonly count: C;
  /** One sentence: what the kind is for. */
  readonly summary: string;
  /** What the reference says beyond the summary and the fields; Markdown paragraphs. */
  readonly notes?: readonly string[];
  /** The fields beside apiVersion and kind: a strict object, each field with a description. */
  readonly schema: Schema;
  /** A document that shows the fields; tests parse and render it, the reference prints it. */
  readonly example: string;
  /**
   * The files this kind gives the node; also asked without a document, for a file of the image that a config replaces
   * has to be written as the image has it. Pure, and the same files for the same value.
   */
  render(held: Held<C, DeepReadonly<z.infer<Schema>>>): readonly RenderedFile[];
  /**
   * What a change takes to come into effect, by the field it is in ("interfaces", "dns.servers"; fields of list
   * entries without index); the longest entry that fits decides. The entry '' is for all others.
   */
  readonly effects: Readonly<Record<string, Effect | EffectOf>> & { readonly '': Effect | EffectOf };
  /** Fields ("" is all of them) whose change can cut the node off from those who manage it. */
  readonly reach: readonly string[];
}

/** defineKind keeps the exact types of a kind, from which those of MachineConfig are made. */
export function defineKind<
  const Name extends string,
  const Property extends string,
  const C extends Count,
  Schema extends z.ZodType,
>(kind: Kind<Name, Property, C, Schema>): Kind<Name, Property, C, Schema> {
  return kind;
}
