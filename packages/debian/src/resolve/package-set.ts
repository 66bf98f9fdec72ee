import { hashText } from '@plinth/host';
import { z } from 'zod';

const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'a Debian package name');
const suiteName = z.string().regex(/^[a-z][a-z0-9-]*$/, 'a Debian suite, e.g. trixie-security');
const reason = z.string().trim().min(1, 'a reason');

/** packageSetFields are the keys every package list has; packages/image embeds them in os/plinth.yaml. */
export const packageSetFields = {
  suites: z.array(suiteName).min(1).describe('Debian suites, newest version over all of them wins'),
  packages: z
    .array(
      z.strictObject({
        name: packageName,
        reason: reason.describe('Why the package is wanted'),
        suite: suiteName.optional().describe('Take it from this suite only, e.g. trixie-backports'),
      }),
    )
    .min(1)
    .describe('Packages wanted for themselves; their dependencies follow'),
  dropped: z
    .array(z.strictObject({ name: packageName, reason: reason.describe('Why nothing needs it') }))
    .default([])
    .describe('Packages left out though others depend on them; dependencies on them count as satisfied'),
};

/** packageSetSchema checks a list that has these keys and no other. */
export const packageSetSchema = z.strictObject(packageSetFields).superRefine(checkPackageSet);

export type PackageSet = z.output<z.ZodObject<typeof packageSetFields>>;

/** checkPackageSet adds what the shape cannot say: no name twice, none both wanted and dropped, suites listed. */
export function checkPackageSet(set: PackageSet, context: z.RefinementCtx): void {
  const seen = new Set<string>();
  const report = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  set.packages.forEach(({ name, suite }, index) => {
    if (seen.has(name)) report(['packages', index, 'name'], `${name} is listed twice`);
    if (suite !== undefined && !set.suites.includes(suite)) {
      report(['packages', index, 'suite'], `${suite} is not in suites`);
    }
    seen.add(name);
  });
  set.dropped.forEach(({ name }, index) => {
    if (seen.has(name)) report(['dropped', index, 'name'], `${name} is already listed as wanted or dropped`);
    seen.add(name);
  });
}

/** packageSetDigest identifies what a lock was made from; reasons count, comments and order do not. */
export function packageSetDigest({ suites, packages, dropped }: PackageSet): string {
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  const pairs = (list: readonly { name: string; reason: string; suite?: string | undefined }[]) =>
    [...list].sort(byName).map((item) => [item.name, item.reason, item.suite ?? null]);
  return hashText(JSON.stringify([[...suites].sort(), pairs(packages), pairs(dropped)]));
}
