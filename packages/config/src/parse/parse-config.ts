import { type Diagnostic, type ParsedDocument, spanAt, type TextSource } from '@plinth/base';
import { LineCounter, parseAllDocuments } from 'yaml';
import { allKinds, type MachineConfig } from '../machine-config.ts';
import { checkText, LIMITS, refuse, tooDeep } from './limits.ts';
import { type ReadSections, readSections, type Section } from './read-sections.ts';
import { hideSecrets } from './secret-lines.ts';
import { sortKeyed } from './sort-keyed.ts';

/**
 * parseConfig reads a machine config: a stream of YAML (or JSON) documents, one for each kind. Limits come first;
 * then every problem is reported with line and column. Codes: config/too-large, config/invalid.
 * @param file name shown in diagnostics: where the config comes from
 */
export function parseConfig(bytes: Uint8Array, file: string): ParsedDocument<MachineConfig> {
  return joinSections(readStream(bytes, file), file);
}

/** readStream reads the documents of one text, limits first; what they mean together is for joinSections. */
export function readStream(bytes: Uint8Array, file: string): ReadSections {
  const checked = checkText(bytes, file);
  if (!checked.ok) return { sections: [], diagnostics: checked.diagnostics };
  const source: TextSource = {
    text: checked.text,
    file,
    lines: new LineCounter(),
    code: 'config/invalid',
  };
  const read = readText(source);
  return { ...read, diagnostics: hideSecrets(source.text, read.diagnostics.slice(0, LIMITS.problems)) };
}

function readText(source: TextSource): ReadSections {
  try {
    const documents = parseAllDocuments(source.text, {
      lineCounter: source.lines,
      // Found in text-problems.ts, in linear time.
      uniqueKeys: false,
      version: '1.2',
    });
    const read = readSections([...documents], source);
    if (read.sections.length > 0 || read.diagnostics.length > 0) return read;
    return { sections: [], ...refuse(source.file, 'it holds no document, expected at least one') };
  } catch (reason) {
    // The parser is recursive; a nesting that the count of the limits does not see ends here.
    if (reason instanceof RangeError) return { sections: [], ...tooDeep(source.file) };
    throw reason;
  }
}

/**
 * joinSections makes one config of documents, of one text or of several.
 * @param file where all of them come from, for what is missing
 */
export function joinSections(read: ReadSections, file: string): ParsedDocument<MachineConfig> {
  const diagnostics = [...read.diagnostics, ...repeated(read.sections)];
  // What is missing is told only when every document is understood: it may be in one that is not.
  if (diagnostics.length === 0) diagnostics.push(...missing(read.sections, file));
  if (diagnostics.length > 0) return { ok: false, diagnostics: diagnostics.slice(0, LIMITS.problems) };
  return { ok: true, value: toConfig(read.sections) };
}

/** repeated tells documents that stand too often, and second ones of the same name. */
export function repeated(sections: readonly Section[]): Diagnostic[] {
  const seen = new Set<string>();
  return sections.flatMap(({ kind, value, source, at }): Diagnostic[] => {
    const name = kind.count === 'many' ? nameOf(value) : undefined;
    const identity = `${kind.kind} ${name ?? ''}`;
    if (!seen.has(identity)) {
      seen.add(identity);
      return [];
    }
    const what = name === undefined ? `one document of kind ${kind.kind}` : `each name of ${kind.kind} once`;
    return [
      {
        code: source.code,
        severity: 'error',
        message: `Cannot read ${source.file}: a second ${kind.kind}${name === undefined ? '' : ` "${name}"`}, expected ${what}`,
        path: kind.property,
        span: spanAt(source, ...at),
      },
    ];
  });
}

function missing(sections: readonly Section[], file: string): Diagnostic[] {
  const present = new Set(sections.map(({ kind }) => kind));
  return allKinds
    .filter((kind) => kind.count === 'one' && !present.has(kind))
    .map((kind) => ({
      code: 'config/invalid',
      severity: 'error',
      message: `Cannot read ${file}: no document of kind ${kind.kind}, expected one`,
      path: kind.property,
    }));
}

/** toConfig makes a config of values. Only after every check: they are then what the types of MachineConfig say. */
export function toConfig(sections: readonly Pick<Section, 'kind' | 'value'>[]): MachineConfig {
  const config: Record<string, unknown> = {};
  for (const kind of allKinds) {
    const values = sections
      .filter((section) => section.kind === kind)
      .map(({ value }) => sortKeyed(kind.schema, value));
    if (kind.count === 'many') config[kind.property] = values.toSorted(byName);
    else if (values.length > 0) config[kind.property] = values[0];
  }
  return config as unknown as MachineConfig;
}

function byName(a: unknown, b: unknown): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

/** nameOf tells apart the values of a kind that stands many times. */
export function nameOf(value: unknown): string {
  return String((value as { readonly name?: unknown }).name);
}
