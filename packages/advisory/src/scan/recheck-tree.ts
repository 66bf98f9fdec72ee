import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError, isErrno } from '@plinth/host';
import { readBoundedBytes } from '../documents/read-file.ts';
import { recheck, type VexStatement } from '../evidence/index.ts';
import type { CheckedStatement, Inventory } from '../model/index.ts';
import { parseRecord } from '../publish/record/read-record.ts';
import { readProgramsFor } from './read-program-facts.ts';
import { readStatements } from './read-statements.ts';

/** Where an image has what is said of it: the folder os/vex of its source. */
export const VEX_FOLDER = '/usr/share/vex';

const RECORD_LIMIT_BYTES = 32 * 1024 * 1024;

/**
 * recheckTree asks the tree of an image every statement that lies in it (statements as `--vex` takes them, and the statements
 * in records of advisories): the same questions again for each image that is built. What no longer holds is open again;
 * whoever reads the result judges by it. Undefined when nothing is said of the image.
 * @param now against which a person's judgement runs out
 * @throws advisory/statements-invalid, advisory/record-invalid, host/io
 */
export async function recheckTree(
  treeDir: string,
  inventory: Inventory,
  now: Date,
): Promise<readonly CheckedStatement[] | undefined> {
  const statements = await readFolder(join(treeDir, VEX_FOLDER));
  if (statements.length === 0) return undefined;
  const programs = await readProgramsFor(treeDir, inventory, { statements, wantsGo: false });
  return recheck(statements, inventory, now, programs);
}

/** Every statement in a folder once, in the order of files' names. */
async function readFolder(folder: string): Promise<VexStatement[]> {
  const names = await readdir(folder).catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list ${folder}`);
  });
  const found = new Map<string, VexStatement>();
  for (const name of names.sort()) {
    const path = join(folder, name);
    const statements = /\.ya?ml$/.test(name)
      ? await readStatements(path)
      : /^PLSA-\d{4}-\d{4,9}\.json$/.test(name)
        ? await statementsOfRecord(path, name)
        : [];
    for (const { id, justification, predicate } of statements)
      found.set(JSON.stringify([id, predicate]), { id, justification, predicate });
  }
  return [...found.values()];
}

/** What a record calls not affected, with its proof; of whichever release: the question is the same for each. */
async function statementsOfRecord(path: string, name: string): Promise<VexStatement[]> {
  const { vulnerability, statuses } = parseRecord(await readBoundedBytes(path, RECORD_LIMIT_BYTES), name);
  return statuses.flatMap(({ verdict, justification, evidence }) =>
    verdict !== 'not-affected' || justification === undefined
      ? []
      : evidence
          .filter(({ speaksFor }) => speaksFor === 'not-affected')
          .flatMap(({ predicate }) =>
            predicate ? [{ id: vulnerability.id, justification, predicate }] : [],
          ),
  );
}
