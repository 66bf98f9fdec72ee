/** What a manifest or an API server says. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap;
export type JsonMap = { readonly [key: string]: Json };
/** The way to a field: ["spec", "volumes", 0, "hostPath", "path"]. */
export type Path = readonly (string | number)[];

/** isMap tells a map from lists and scalars. */
export function isMap(value: unknown): value is JsonMap {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** at follows a way; undefined where it ends early. */
export function at(value: Json | undefined, ...path: Path): Json | undefined {
  let here: Json | undefined = value;
  for (const part of path) {
    if (typeof part === 'number') here = Array.isArray(here) ? (here as readonly Json[])[part] : undefined;
    else here = isMap(here) && Object.hasOwn(here, part) ? here[part] : undefined;
  }
  return here;
}

/** textAt is a text, or undefined. Numbers become text: people write versions and ports either way. */
export function textAt(value: Json | undefined, ...path: Path): string | undefined {
  const found = at(value, ...path);
  if (typeof found === 'number') return String(found);
  return typeof found === 'string' ? found : undefined;
}

/** listAt is a list; empty where there is none. */
export function listAt(value: Json | undefined, ...path: Path): readonly Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** mapAt is a map; empty where there is none. */
export function mapAt(value: Json | undefined, ...path: Path): JsonMap {
  const found = at(value, ...path);
  return isMap(found) ? found : {};
}

/** isTrue reads a truth value as kubectl does, which still knows the words of YAML 1.1. */
export function isTrue(value: Json | undefined): boolean {
  return value === true || (typeof value === 'string' && /^(?:y|yes|on|true)$/i.test(value));
}

/** pathText is a way as people write it: "$.spec.volumes[0].hostPath.path". */
export function pathText(path: Path): string {
  const parts = path.map((part) => {
    if (typeof part === 'number') return `[${part}]`;
    return /^[\w-]+$/.test(part) ? `.${part}` : `["${part}"]`;
  });
  return `$${parts.join('')}`;
}
