import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';

const schema = z.strictObject({
  reference: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z]\w*$/, 'expected the name of a module'),
        reason: z.string().min(1),
      }),
    )
    .min(1),
});

/** What the SELinux policy is made of: os/selinux. */
export interface SelinuxSpec {
  /** Names of modules of the reference policy. */
  readonly reference: readonly string[];
  /** File names of Plinth's own modules in the folder, in the order of their names. */
  readonly own: readonly string[];
}

/**
 * loadSelinuxSpec reads policy.yaml and finds the modules beside it.
 * @throws image/spec-invalid with every problem and its place; host/io
 */
export async function loadSelinuxSpec(folder: string): Promise<SelinuxSpec> {
  const file = join(folder, 'policy.yaml');
  const read = async () => [await readFile(file, 'utf8'), await readdir(folder)] as const;
  const [text, names] = await read().catch((reason: unknown) => {
    throw PlinthError.from(reason, 'host/io', `Cannot read ${file}`);
  });
  const document = readDocument(text, file, schema, 'image/spec-invalid');
  if (!document.ok)
    throw new PlinthError(
      'image/spec-invalid',
      `Cannot use ${file}: ${document.diagnostics.length} problem(s) found, expected none`,
      { diagnostics: document.diagnostics },
    );
  const reference = document.value.reference.map(({ name }) => name);
  const own = names.filter((name) => name.endsWith('.cil')).sort();
  const same = own.find((name) => reference.includes(name.replace(/\.cil$/, '')));
  if (same === undefined) return { reference, own };
  throw new PlinthError(
    'image/spec-invalid',
    `Cannot use ${join(folder, same)}: the reference policy has a module of that name, expected another, or it would take its place`,
  );
}
