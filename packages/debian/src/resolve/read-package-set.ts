import { readFile } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { LineCounter, parseDocument } from 'yaml';
import { issueDiagnostics } from '../lock/issue-diagnostics.ts';
import { type PackageSet, packageSetSchema } from './package-set.ts';

const KEYS = ['suites', 'packages', 'dropped'];

/**
 * readPackageSet reads the package list of a YAML file (os/toolbox.yaml, os/plinth.yaml). Other keys of the file are
 * left to their own reader.
 * @throws debian/spec-invalid with a diagnostic, with its place, for each fault
 */
export async function readPackageSet(path: string): Promise<PackageSet> {
  const text = await readFile(path, 'utf8').catch((reason) => {
    throw ioError(reason, `read ${path}`);
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    throw new PlinthError('debian/spec-invalid', `Cannot read ${path}:${line}:${col}: ${syntax.message}`);
  }
  const content: unknown = document.toJS();
  const entries = Object.entries(content ?? {}).filter(([key]) => KEYS.includes(key));
  const parsed = packageSetSchema.safeParse(Object.fromEntries(entries));
  if (parsed.success) return parsed.data;
  const diagnostics = issueDiagnostics('debian/spec-invalid', parsed.error, document, lines, path);
  const first = diagnostics[0];
  throw new PlinthError(
    'debian/spec-invalid',
    `Cannot use the package list ${path}:${first?.span?.line ?? 1}: ${first?.message ?? 'not a package list'}`,
    { diagnostics },
  );
}
