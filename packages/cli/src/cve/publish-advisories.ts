import { open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type AdvisoryRecord,
  type PublishedAdvisories,
  parseRecord,
  publishAdvisories,
} from '@plinth/advisory';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { type KeyFolderOptions, keyFolder, readPassphrase } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';

/** Largest record that is read; a record is one flaw. */
const RECORD_LIMIT_BYTES = 16 * 1024 * 1024;
const RECORDS_LIMIT = 100_000;

export interface PublishOptions extends KeyFolderOptions {
  readonly to: string;
  readonly url: string | undefined;
  readonly publisher: string | undefined;
  readonly contact: string | undefined;
  readonly valid: number;
}

/**
 * publishRecords reads records, files or folders of files, and publishes them.
 * @throws what readRecords and publishAdvisories throw
 */
export async function publishRecords(
  paths: readonly string[],
  options: PublishOptions,
  context: CommandContext,
): Promise<PublishedAdvisories> {
  const records = await readRecords(paths);
  const { to, url, publisher, contact, valid } = options;
  return context.progress.step('Publish', async () =>
    publishAdvisories({
      treeDir: resolve(to),
      keysDir: keyFolder(options, context.env),
      ...(await readPassphrase(options, context.env)),
      records,
      publisher: {
        ...(url !== undefined && { url }),
        ...(publisher !== undefined && { name: publisher }),
        ...(contact !== undefined && { contact }),
      },
      validMs: valid,
      signal: context.signal,
      onWait: (holderPid) => context.say(`Process ${holderPid} publishes to it; waiting.`),
    }),
  );
}

/** readRecords reads records by their paths. @throws advisory/document-refused, advisory/record-invalid, host/io */
export async function readRecords(paths: readonly string[]): Promise<readonly AdvisoryRecord[]> {
  const records: AdvisoryRecord[] = [];
  for (const path of paths) {
    for (const file of await recordFiles(path)) records.push(parseRecord(await readLimited(file), file));
  }
  return records;
}

async function recordFiles(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path))
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .sort();
    if (names.length > RECORDS_LIMIT)
      throw tooMuch(path, `it has ${names.length} records`, `at most ${RECORDS_LIMIT}`);
    return names.map((name) => join(path, name));
  } catch (reason) {
    throw ioError(reason, `read records of ${path}`);
  }
}

async function readLimited(path: string): Promise<Buffer> {
  try {
    await using file = await open(path);
    const stats = await file.stat();
    if (!stats.isFile()) throw tooMuch(path, 'it is no file', 'a record');
    if (stats.size > RECORD_LIMIT_BYTES)
      throw tooMuch(path, `it has ${stats.size} bytes`, `at most ${RECORD_LIMIT_BYTES}`);
    return await file.readFile();
  } catch (reason) {
    throw ioError(reason, `read record ${path}`);
  }
}

function tooMuch(path: string, state: string, expected: string): PlinthError {
  return new PlinthError('advisory/document-refused', `Cannot read ${path}: ${state}, expected ${expected}`);
}
