/** An option or argument as data: how it is shown, and how its text becomes a typed value. */
export interface ValueSpec<T> {
  readonly help: string;
  /** What stands for the value in help, e.g. "DIR"; absent for a flag. */
  readonly placeholder?: string;
  /** A letter that stands for the option, e.g. "l" for -l. */
  readonly short?: string;
  /** Shown as "(default: …)"; absent when there is none worth showing. */
  readonly shownDefault?: string;
  /** Allowed values, for help, completion and checking. */
  readonly choices?: readonly string[];
  /** Turns what the parser found (undefined when absent) into the value; throws RangeError on a bad one. */
  readonly read: (raw: unknown) => T;
}

export interface ArgumentSpec<T> extends ValueSpec<T> {
  readonly placeholder: string;
  readonly required: boolean;
  /** It takes all words that are left; only for the last argument. */
  readonly several?: true;
}

export type OptionSpecs = Readonly<Record<string, ValueSpec<unknown>>>;
export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec<unknown>>>;
export type ValuesOf<S extends Readonly<Record<string, ValueSpec<unknown>>>> = {
  readonly [K in keyof S]: S[K] extends ValueSpec<infer T> ? T : never;
};

/** A switch: present or not. */
export function flag(help: string): ValueSpec<boolean> {
  return { help, read: (raw) => raw === true };
}

/** An option with any text as its value. */
export function text(placeholder: string, help: string): ValueSpec<string | undefined> {
  return { placeholder, help, read: (raw) => (typeof raw === 'string' ? raw : undefined) };
}

/** The same option with a letter of its own. */
export function short<T>(letter: string, spec: ValueSpec<T>): ValueSpec<T> {
  return { ...spec, short: letter };
}

/** An option with any text as its value, and a default. */
export function textOr(placeholder: string, fallback: string, help: string): ValueSpec<string> {
  return {
    placeholder,
    help,
    ...(fallback !== '' && { shownDefault: fallback }),
    read: (raw) => (typeof raw === 'string' ? raw : fallback),
  };
}

/** An option that takes one of a few words. */
export function choice<const C extends string>(
  choices: readonly C[],
  help: string,
  placeholder: string = choices.join('|'),
): ValueSpec<C | undefined> {
  return {
    placeholder,
    help,
    choices,
    read: (raw) => (typeof raw === 'string' ? oneOf(choices, raw) : undefined),
  };
}

/** An option that takes several of a few words, separated by commas. */
export function list<const C extends string>(
  choices: readonly C[],
  fallback: readonly C[],
  help: string,
): ValueSpec<readonly C[]> {
  return {
    placeholder: 'LIST',
    help: `${help}: ${choices.join(', ')}`,
    shownDefault: fallback.join(','),
    choices,
    read: (raw) =>
      typeof raw === 'string'
        ? [...new Set(raw.split(',').map((word) => oneOf(choices, word.trim())))]
        : fallback,
  };
}

/** An option that takes a whole number within bounds. */
export function integer(
  placeholder: string,
  bounds: { readonly min: number; readonly max: number; readonly fallback: number },
  help: string,
): ValueSpec<number> {
  const { min, max, fallback } = bounds;
  return {
    placeholder,
    help,
    shownDefault: String(fallback),
    read: (raw) => {
      if (typeof raw !== 'string') return fallback;
      const value = /^\d{1,12}$/.test(raw) ? Number(raw) : Number.NaN;
      if (!(value >= min && value <= max)) {
        throw new RangeError(`"${raw}", expected a whole number from ${min} to ${max}`);
      }
      return value;
    },
  };
}

/** An option that takes a whole number within bounds, and has no value when it is absent. */
export function maybeInteger(
  placeholder: string,
  bounds: { readonly min: number; readonly max: number },
  help: string,
): ValueSpec<number | undefined> {
  const spec = integer(placeholder, { ...bounds, fallback: bounds.min }, help);
  return { placeholder, help, read: (raw) => (raw === undefined ? undefined : spec.read(raw)) };
}

/** An argument that must be given. */
export function required(placeholder: string, help: string): ArgumentSpec<string> {
  return { placeholder, help, required: true, read: (raw) => (typeof raw === 'string' ? raw : '') };
}

/** One word or more; only for the last argument. */
export function several(placeholder: string, help: string): ArgumentSpec<readonly string[]> {
  return { ...rest(placeholder, help), required: true, several: true };
}

/** Words, or none; only for the last argument. */
export function maybeSeveral(placeholder: string, help: string): ArgumentSpec<readonly string[]> {
  return { ...rest(placeholder, help), several: true };
}

/** All words that are left, as they are; only for a command that passes them on. */
export function rest(placeholder: string, help: string): ArgumentSpec<readonly string[]> {
  return {
    placeholder,
    help,
    required: false,
    read: (raw) => (Array.isArray(raw) ? raw.filter((word) => typeof word === 'string') : []),
  };
}

/** An argument that may be left out. */
export function optional(placeholder: string, help: string): ArgumentSpec<string | undefined> {
  return { ...text(placeholder, help), placeholder, required: false };
}

/** An argument that must be one of a few words. */
export function requiredChoice<const C extends string>(
  placeholder: string,
  choices: readonly C[],
  help: string,
): ArgumentSpec<C> {
  return { placeholder, help, choices, required: true, read: (raw) => oneOf(choices, raw) };
}

function oneOf<C extends string>(choices: readonly C[], word: unknown): C {
  const found = choices.find((candidate) => candidate === word);
  if (found === undefined) throw new RangeError(`"${word}", expected one of ${choices.join(', ')}`);
  return found;
}
