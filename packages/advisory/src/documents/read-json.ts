import { overLimit } from './over-limit.ts';
import { type DocumentLimits, documentLimits, refuse } from './read-text.ts';

/**
 * readJson parses JSON from outside. Depth and number of values are counted in the text first, so that neither
 * recursion nor a flood of values reaches the parser.
 * @throws advisory/document-refused
 */
export function readJson(text: string, name: string, limits: DocumentLimits = documentLimits): unknown {
  if (text.length > limits.bytes)
    throw refuse(name, `it has ${text.length} characters`, `at most ${limits.bytes}`);
  const over = overLimit(text, limits);
  if (over === 'depth') throw refuse(name, `it nests deeper than ${limits.depth}`, 'a flatter document');
  if (over === 'nodes') throw refuse(name, `it has more than ${limits.nodes} values`, 'fewer');
  try {
    return JSON.parse(text, dropPrototype);
  } catch {
    // The parser's own words quote the document, which may hold anything.
    throw refuse(name, 'it is not JSON', 'one JSON value');
  }
}

/** A key that would reach the prototype of an object names nothing in any format here. */
function dropPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

/** A value of a document from outside, as its readers look at it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** asObject gives the fields of an object, none of anything else. */
export function asObject(value: unknown): JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** asList gives the items of a list, none of anything else. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** asText gives a text; undefined of anything else. */
function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** textAt gives the text at a path of keys and indexes; undefined when there is none. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  return asText(valueAt(value, ...path));
}

/** valueAt gives what is at a path of keys and indexes; undefined when nothing is. */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const part of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, part)) return undefined;
    at = (at as Readonly<Record<string | number, unknown>>)[part];
  }
  return at;
}

/** texts gives the texts of a list, passing over whatever else is in it. */
export function texts(value: unknown): readonly string[] {
  return asList(value).filter((item) => typeof item === 'string');
}
