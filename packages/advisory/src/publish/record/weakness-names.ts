import { readFileSync } from 'node:fs';
import type { AdvisoryRecord } from '../../model/index.ts';

let loaded: ReadonlyMap<string, string> | undefined;

/** weaknessNames gives the names of the CWE list: "CWE-79" → how CSAF documents must call it. Read on first use. */
export function weaknessNames(): ReadonlyMap<string, string> {
  loaded ??= readNames();
  return loaded;
}

/**
 * weaknessProblem says which weakness of a record is not called as in the CWE list; undefined when all are. Readers of
 * CSAF refuse a document for it (CSAF 2.0, 6.1.11).
 */
export function weaknessProblem({ weaknesses }: AdvisoryRecord): string | undefined {
  for (const { id, name } of weaknesses) {
    const known = weaknessNames().get(id);
    if (known === undefined) return `${id} is not in the list of weaknesses`;
    if (known !== name) return `${id} is called "${name}", and "${known}" in the list of weaknesses`;
  }
  return undefined;
}

function readNames(): ReadonlyMap<string, string> {
  const text = readFileSync(new URL('../../../data/weaknesses.txt', import.meta.url), 'utf8');
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [, id, name] = /^(CWE-\d+) (.+)$/.exec(line) ?? [];
      return id === undefined || name === undefined ? [] : [[id, name]];
    }),
  );
}
