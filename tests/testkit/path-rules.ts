import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PathRule, pathTable } from '@plinth/agent';
import { readDocument, renderDiagnostic } from '@plinth/base';

/** readPathRules reads os/paths.yaml, the table of what each path of a node may be. */
export async function readPathRules(): Promise<readonly PathRule[]> {
  const path = join(import.meta.dirname, '../../os/paths.yaml');
  const document = readDocument(await readFile(path, 'utf8'), path, pathTable, 'config/invalid');
  if (document.ok) return document.value.paths;
  throw new Error(document.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)).join('\n'));
}
