import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import type { z } from 'zod';

/**
 * addPart keeps one entry of a report: one JSON file an entry, because each file of tests is a process of its own.
 * @returns all entries there are, by their file names
 */
export async function addPart<T>(
  parts: string,
  slug: string,
  part: T,
  schema: z.ZodType<T>,
): Promise<readonly T[]> {
  await mkdir(parts, { recursive: true });
  await writeFileAtomic(join(parts, `${slug}.json`), `${JSON.stringify(part, null, 2)}\n`);
  const names = (await readdir(parts)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => schema.parse(JSON.parse(await readFile(join(parts, name), 'utf8')))),
  );
}

/** slugOf makes a title a file name. */
export function slugOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

/** tableRow makes a row of a table in Markdown. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
