import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Diagnostic, PlinthError, readDocument } from '@plinth/base';
import type { ZodType } from 'zod';
import { type Source, type SubjectFile, sourcesSchema, subjectSchema } from './schema.ts';

/** Where the data of this package lies. */
export const dataFolder = fileURLToPath(new URL('../../data', import.meta.url));

/** Everything that is known, validated; not yet for any date. */
export interface Knowledge {
  readonly sources: Readonly<Record<string, Source>>;
  readonly systems: readonly SubjectFile[];
  readonly platforms: readonly SubjectFile[];
}

/**
 * loadKnowledge reads sources, systems and platforms below a folder.
 * @throws advisor/data-invalid with every problem found, each with file, line and column
 */
export async function loadKnowledge(folder: string = dataFolder): Promise<Knowledge> {
  const { sources } = await readData(join(folder, 'sources.yaml'), sourcesSchema);
  const ids = Object.keys(sources);
  const [systems, platforms] = await Promise.all([
    readFolder(join(folder, 'systems'), subjectSchema('system', ids)),
    readFolder(join(folder, 'platforms'), subjectSchema('platform', ids)),
  ]);
  return { sources, systems: byName(systems), platforms: byName(platforms) };
}

function byName(files: readonly SubjectFile[]): SubjectFile[] {
  return [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** readFolder reads every .yaml file of a folder; each is named after the id it holds. */
export async function readFolder<T extends { readonly id: string }>(
  folder: string,
  schema: ZodType<T>,
): Promise<T[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const problems: Diagnostic[] = [];
  const found: T[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const parsed = readDocument(await readFile(path, 'utf8'), path, schema, 'advisor/data-invalid');
    if (!parsed.ok) problems.push(...parsed.diagnostics);
    else if (`${parsed.value.id}.yaml` !== name) problems.push(misnamed(path, parsed.value.id));
    else found.push(parsed.value);
  }
  if (problems.length > 0) throw dataRefused(basename(folder), problems);
  return found;
}

/** readData reads one file of the data. */
export async function readData<T>(path: string, schema: ZodType<T>): Promise<T> {
  const parsed = readDocument(await readFile(path, 'utf8'), path, schema, 'advisor/data-invalid');
  if (!parsed.ok) throw dataRefused(basename(path), parsed.diagnostics);
  return parsed.value;
}

function misnamed(path: string, id: string): Diagnostic {
  return {
    code: 'advisor/data-invalid',
    severity: 'error',
    message: `Cannot read ${path}: its id is "${id}", expected the name of the file`,
    span: { file: path, line: 1, column: 1, length: 1 },
  };
}

function dataRefused(what: string, diagnostics: readonly Diagnostic[]): PlinthError {
  return new PlinthError(
    'advisor/data-invalid',
    `Cannot read the advisor's ${what}: ${diagnostics.length} problem(s), expected none`,
    { diagnostics },
  );
}
