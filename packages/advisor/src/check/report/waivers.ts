import { PlinthError, readDocument } from '@plinth/base';
import { z } from 'zod';
import { isoDate } from '../../facts/dates.ts';
import { matches } from '../target/target.ts';
import { type CheckResult, type Finding, ownerText } from './finding.ts';

const waiver = z.strictObject({
  /** A rule by its id. */
  rule: z.string().regex(/^PLM\d{3}$/, 'expected the id of a rule, such as PLM013'),
  /** "DaemonSet kube-system/calico-node", as reports write it; "*" stands for any text. */
  workload: z.string().min(1),
  /** What the finding is about; "*" stands for any text. Absent: all. */
  subject: z.string().min(1).optional(),
  container: z.string().min(1).optional(),
  reason: z.string().min(10, 'expected a reason of at least 10 characters'),
  /** The last day on which it excuses. */
  expires: isoDate,
});
const waiversSchema = z.strictObject({ waivers: z.array(waiver).max(10_000) });
export type Waiver = z.infer<typeof waiver>;

/** parseWaivers reads a file of waivers. @throws check/waivers-invalid with line and column of every problem */
export function parseWaivers(text: string, file: string, ruleIds: readonly string[]): readonly Waiver[] {
  const document = readDocument(text, file, waiversSchema, 'check/waivers-invalid');
  if (!document.ok)
    throw new PlinthError(
      'check/waivers-invalid',
      `Cannot use the waivers of ${file}: ${document.diagnostics.length} problems, expected none`,
      {
        diagnostics: document.diagnostics,
      },
    );
  const unknown = document.value.waivers.find(({ rule }) => !ruleIds.includes(rule));
  if (unknown)
    throw new PlinthError(
      'check/waivers-invalid',
      `Cannot use the waivers of ${file}: there is no rule ${unknown.rule}, expected one of docs/reference/workload-rules.md`,
    );
  return document.value.waivers;
}

/**
 * applyWaivers marks the findings that a waiver excuses on the day of the check, and says which waivers have expired or
 * excuse nothing; pure. An expired waiver excuses nothing.
 */
export function applyWaivers(result: CheckResult, waivers: readonly Waiver[]): CheckResult {
  const used = new Set<Waiver>();
  const expired = new Set<Waiver>();
  const findings = result.findings.map((finding): Finding => {
    const fitting = waivers.filter((each) => fits(each, finding));
    const valid = fitting.find(({ expires }) => result.asOf <= expires);
    if (valid === undefined) {
      for (const each of fitting) expired.add(each);
      return finding;
    }
    used.add(valid);
    return { ...finding, waiver: { reason: valid.reason, expires: valid.expires } };
  });
  const notes = waivers.flatMap((each): string[] => {
    const name = `${each.rule} of ${each.workload}`;
    if (expired.has(each))
      return [`the waiver for ${name} expired on ${each.expires} and excuses nothing any more`];
    const isOver = result.asOf > each.expires;
    if (used.has(each) || isOver) return [];
    return [`the waiver for ${name} excuses nothing: there is no such finding`];
  });
  return { ...result, findings, notes: [...result.notes, ...notes] };
}

function fits(each: Waiver, { rule, owner, subject, container }: Finding): boolean {
  return (
    each.rule === rule &&
    matches(each.workload, ownerText(owner)) &&
    (each.subject === undefined || matches(each.subject, subject)) &&
    (each.container === undefined || matches(each.container, container))
  );
}
