import { PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';

/** The rules a finding can come from; each is documented as error code `policy/<rule>`. */
export const ruleNames = [
  'shell',
  'interpreter',
  'script',
  'package-manager',
  'development-tool',
  'remote-login',
  'setuid',
  'capability',
  'library-missing',
  'dlopen-missing',
  'elf-unreadable',
  'world-writable',
  'dangling-link',
  'special-file',
  'foreign-owner',
  'package-count',
  'size-budget',
] as const;

export type RuleName = (typeof ruleNames)[number];

const reason = z.string().min(8, 'a reason is missing, expected a sentence');
const path = z.string().startsWith('/', 'expected a path that starts with "/"');

/** What must not be in the tree, told by file name, by package, by linked library and by content. */
const forbidden = z.strictObject({
  rule: z.enum(['shell', 'interpreter', 'package-manager', 'development-tool', 'remote-login']),
  /** What a hit is, in words: "a shell". */
  what: z.string().min(1),
  /** Patterns of base names, of files and links. */
  names: z.array(z.string()).default([]),
  packages: z.array(z.string()).default([]),
  /** Patterns of DT_NEEDED entries. */
  needs: z.array(z.string()).default([]),
  /** Texts that only such programs contain, so that another name hides nothing. */
  contains: z.array(z.string().min(6)).default([]),
});

const waiver = z.strictObject({
  /** Who answers for it. */
  name: z.string().min(1),
  rule: z.enum(ruleNames),
  /** Pattern of the finding's subject: a path, or the name of what was counted or measured. */
  path: z.string().min(1),
  reason,
  /** Last day it holds, "2027-01-31". */
  expires: z.iso.date('expected a date such as 2027-01-31'),
});

const schema = z.strictObject({
  /** Folders in which programs can be executed. */
  execPaths: z.array(path).min(1),
  /** Where the dynamic loader looks after a file's own runpath, in order. */
  libraryPaths: z.array(path).min(1),
  packages: z.strictObject({ max: z.int().positive() }),
  /** Upper bounds in MiB, by the name of what is measured. */
  budgetsMiB: z.record(z.string(), z.number().positive()),
  forbidden: z.array(forbidden),
  setuid: z.array(z.strictObject({ path, reason })).default([]),
  capabilities: z.array(z.strictObject({ path, capabilities: z.string(), reason })).default([]),
  danglingLinks: z
    .array(
      z
        .strictObject({ path: path.optional(), target: path.optional(), reason })
        .refine(
          (entry) => (entry.path === undefined) !== (entry.target === undefined),
          'expected either "path" or "target"',
        ),
    )
    .default([]),
  dlopenWithout: z
    .array(
      z
        .strictObject({ feature: z.string().optional(), soname: z.string().optional(), reason })
        .refine(
          (entry) => (entry.feature === undefined) !== (entry.soname === undefined),
          'expected either "feature" or "soname"',
        ),
    )
    .default([]),
  waivers: z.array(waiver).default([]),
});

/** What an image may and may not hold: os/policy.yaml. */
export type Policy = z.infer<typeof schema>;
export type ForbiddenKind = Policy['forbidden'][number];
export type Waiver = Policy['waivers'][number];

/**
 * parsePolicy reads os/policy.yaml.
 * @param file the name to show in messages
 * @throws policy/invalid with one diagnostic for each problem, with line and column
 */
export function parsePolicy(text: string, file: string): Policy {
  const document = readDocument(text, file, schema, 'policy/invalid');
  if (document.ok) return document.value;
  const count = document.diagnostics.length;
  throw new PlinthError(
    'policy/invalid',
    `Cannot read ${file}: ${count} problem${count === 1 ? '' : 's'}, expected none`,
    { diagnostics: document.diagnostics },
  );
}
