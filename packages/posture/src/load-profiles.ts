import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, PlinthError, type PlinthErrorOptions, readDocument } from '@plinth/base';
import { type Profile, type ProfileFile, profileSchema, profilesOf } from './profile.ts';

/** Where the profiles of Plinth lie. */
const dataFolder = fileURLToPath(new URL('../data', import.meta.url));

/** The profiles of Plinth, and of files that were given. */
export interface Profiles {
  /** Every profile by its id, those of lower levels too. */
  readonly byId: ReadonlyMap<string, Profile>;
  /** The fullest profile of each file: together they are every claim once. */
  readonly fullest: readonly Profile[];
  /** Those of the files that were given, the fullest of each. */
  readonly given: readonly Profile[];
}

/**
 * loadProfiles reads the profiles of this package, and more of a person's own.
 * @param files paths of files with profiles; one of the same id takes the place of Plinth's
 * @throws posture/profile-invalid with every problem, each with file, line and column, or why a file cannot be read
 */
export async function loadProfiles(files: readonly string[] = []): Promise<Profiles> {
  const own = (await readdir(dataFolder)).filter((name) => name.endsWith('.yaml')).sort();
  const paths = [...own.map((name) => join(dataFolder, name)), ...files];
  const read = await Promise.all(paths.map(readProfileFile));
  const byFile = new Map(read.map((file) => [file.id, profilesOf(file)]));
  const all = [...byFile.values()];
  const last = (profiles: readonly Profile[] | undefined) => profiles?.slice(-1) ?? [];
  const givenIds = new Set(read.slice(own.length).map(({ id }) => id));
  return {
    given: [...givenIds].flatMap((id) => last(byFile.get(id))),
    byId: new Map(all.flat().map((profile) => [profile.id, profile])),
    fullest: all.flatMap(last),
  };
}

async function readProfileFile(path: string): Promise<ProfileFile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid(path, messageOf(cause), { cause });
  });
  const parsed = readDocument(text, path, profileSchema, 'posture/profile-invalid');
  if (parsed.ok) return parsed.value;
  throw invalid(path, `it has ${parsed.diagnostics.length} problems`, { diagnostics: parsed.diagnostics });
}

function invalid(path: string, state: string, options: PlinthErrorOptions): PlinthError {
  const expected = 'expected profiles as those in packages/posture/data';
  return new PlinthError('posture/profile-invalid', `Cannot use ${path}: ${state}, ${expected}`, options);
}
