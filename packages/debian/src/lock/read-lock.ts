import { readFile } from 'node:fs/promises';
import { type Diagnostic, PlinthError } from '@plinth/base';
import { ioError, isErrno, writeFileAtomic } from '@plinth/host';
import { LineCounter, parseDocument } from 'yaml';
import { formatLock } from './format-lock.ts';
import { issueDiagnostics } from './issue-diagnostics.ts';
import { type Lock, lockSchema } from './lock.ts';

/**
 * readLock reads and checks a lock file.
 * @throws debian/lock-missing, debian/lock-invalid with one diagnostic, with its place, for each fault
 */
export async function readLock(path: string): Promise<Lock> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (reason) {
    if (!isErrno(reason, 'ENOENT')) throw ioError(reason, `read ${path}`);
    throw new PlinthError(
      'debian/lock-missing',
      `Cannot read ${path}: there is no such file, expected a lock`,
    );
  }
  return parseLock(text, path);
}

/** parseLock checks the text of a lock; `path` is used in messages only. */
export function parseLock(text: string, path: string): Lock {
  // The fast way for a good lock; the way that knows lines only for a bad one.
  const parsed = lockSchema.safeParse(parseJson(text));
  if (parsed.success) {
    const repeated = parsed.data.packages.find(
      (item, index, all) => index > 0 && (all[index - 1]?.name ?? '') >= item.name,
    );
    if (!repeated) return parsed.data;
    throw invalid(path, [
      {
        code: 'debian/lock-invalid',
        severity: 'error',
        message: `Cannot read ${repeated.name}: out of order, expected names sorted and once each`,
      },
    ]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, schema: 'json', prettyErrors: false });
  const at = (offset: number) => ({
    file: path,
    line: lines.linePos(offset).line,
    column: lines.linePos(offset).col,
    length: 1,
  });
  const [syntax] = document.errors;
  if (syntax) {
    throw invalid(path, [
      {
        code: 'debian/lock-invalid',
        severity: 'error',
        message: `Cannot read the file: ${syntax.message}`,
        span: at(syntax.pos[0]),
      },
    ]);
  }
  throw invalid(path, issueDiagnostics('debian/lock-invalid', parsed.error, document, lines, path));
}

/** writeLock replaces a lock file, whole or not at all. */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  await writeFileAtomic(path, formatLock(lock));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: undefined fits no schema, and the reader with line numbers says where it breaks.
    return undefined;
  }
}

function invalid(path: string, diagnostics: readonly Diagnostic[]): PlinthError {
  const first = diagnostics[0];
  const place = first?.span ? `${path}:${first.span.line}` : path;
  return new PlinthError(
    'debian/lock-invalid',
    `Cannot use the lock ${place}: ${first?.message ?? 'not a lock'}`,
    {
      diagnostics,
    },
  );
}
