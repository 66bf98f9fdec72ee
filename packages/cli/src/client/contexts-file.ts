import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError, readDocument } from '@plinth/base';
import { configDir, ioError, isErrno, withLock, writeFileAtomic } from '@plinth/host';
import { stringify } from 'yaml';
import { z } from 'zod';

/** The parts of a context. */
export const contextSchema = z.strictObject({
  /** Address and port: "192.0.2.10:7546", "[2001:db8::1]:7546", "node-1.example:7546". */
  endpoint: z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'expected ADDRESS:PORT'),
  /** The certificate that must be found there. */
  fingerprint: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected "sha256:" and 64 hexadecimal digits'),
  /** Files, PEM. The key stays where it is and is never copied into the file of contexts. */
  certificate: z.string().min(1),
  key: z.string().min(1),
});

/** What a context may be called. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const fileSchema = z.strictObject({
  current: z.string().optional(),
  contexts: z.record(z.string().regex(NAME_PATTERN, 'expected a name'), contextSchema),
});

/** One node, how to reach it and as whom. */
export type ClientContext = z.infer<typeof contextSchema>;
export type ContextsFile = z.infer<typeof fileSchema>;

type Environment = Readonly<Record<string, string | undefined>>;

/** contextsPath is where contexts are kept: `$PLINTHCONFIG`, else `config` in the user's configuration folder. */
export function contextsPath(env: Environment): string {
  return env['PLINTHCONFIG'] || join(configDir(env), 'config');
}

/**
 * readContexts reads the file of contexts; a missing one has none.
 * @throws cli/config-invalid, host/io
 */
export async function readContexts(path: string): Promise<ContextsFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
    await checkMode(path);
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return { contexts: {} };
    throw ioError(reason, `read ${path}`);
  }
  return parseContexts(text, path);
}

/** parseContexts checks the text of a file of contexts. @throws cli/config-invalid with every problem and its place */
export function parseContexts(text: string, path: string): ContextsFile {
  const parsed = readDocument(text, path, fileSchema, 'cli/config-invalid');
  if (parsed.ok) return parsed.value;
  const count = parsed.diagnostics.length;
  throw new PlinthError(
    'cli/config-invalid',
    `Cannot use ${path}: ${count} problem(s) found, expected none`,
    {
      diagnostics: parsed.diagnostics,
    },
  );
}

/** changeContexts reads, changes and writes the file while no other command does. @throws cli/config-invalid, host/… */
export async function changeContexts(
  path: string,
  change: (file: ContextsFile) => ContextsFile,
): Promise<ContextsFile> {
  const work = async () => {
    const next = change(await readContexts(path));
    await writeFileAtomic(path, stringify(next), 0o600);
    return next;
  };
  // Several nodes of a cluster are learned at the same time; nobody holds this lock for long.
  return withLock(`${path}.lock`, 'change the contexts', work, {});
}

/** The file names keys and decides whom to trust: nobody else may read or change it. */
async function checkMode(path: string): Promise<void> {
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw new PlinthError(
    'cli/config-invalid',
    `Cannot trust ${path}: its mode is ${mode.toString(8)}, expected 600`,
    { hint: `Run "chmod 600 ${path}".` },
  );
}
