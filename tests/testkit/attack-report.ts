import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import { z } from 'zod';
import { addPart, slugOf, tableRow } from './report-parts.ts';

const attackSchema = z.object({
  /** What was tried, as somebody who wants in would say it. */
  attempt: z.string(),
  /**
   * "refused": it had no effect; "detected": it had, and the node or its judge says so; "succeeded": it had, as our own papers say;
   * "unproven": none of these was seen.
   */
  outcome: z.enum(['refused', 'detected', 'succeeded', 'unproven']),
  /** What refused or saw it: the firmware, the kernel, IPE, plinthd … */
  by: z.string(),
  /** What it said. */
  evidence: z.string(),
});
type Attack = z.infer<typeof attackSchema>;

const EVIDENCE_LIMIT_CHARS = 160;

/**
 * attack runs one attempt against a node and adds it to the table of all of them, attack-report.md.
 * @param show asserts that it came out as expected, and gives what was said; what it throws is the test's failure
 */
export async function attack(
  { reportFolder }: { readonly reportFolder: string },
  attempt: string,
  { outcome, by }: { readonly outcome: 'refused' | 'detected' | 'succeeded'; readonly by: string },
  show: () => string | Promise<string>,
): Promise<void> {
  try {
    await report(reportFolder, { attempt, outcome, by, evidence: await show() });
  } catch (reason) {
    const evidence = reason instanceof Error ? reason.message : String(reason);
    await report(reportFolder, { attempt, outcome: 'unproven', by, evidence });
    throw reason;
  }
}

async function report(folder: string, attack: Attack): Promise<void> {
  const [line = ''] = attack.evidence.trim().split('\n');
  const short = line.length > EVIDENCE_LIMIT_CHARS ? `${line.slice(0, EVIDENCE_LIMIT_CHARS)}…` : line;
  const part = { ...attack, evidence: short };
  const all = await addPart(join(folder, 'attacks'), slugOf(attack.attempt), part, attackSchema);
  await writeFileAtomic(join(folder, 'attack-report.md'), renderAttacks(all));
}

/** renderAttacks is the table in Markdown. */
function renderAttacks(attacks: readonly Attack[]): string {
  const count = (outcome: Attack['outcome']) => attacks.filter((each) => each.outcome === outcome).length;
  return [
    '# Attempts against a booted node, and what became of each',
    '',
    `${attacks.length} attempts: ${count('refused')} refused, ${count('detected')} detected, ${count('succeeded')} succeeded, ${count('unproven')} unproven.`,
    '',
    '| Attempt | Outcome | By | What was said |',
    '| --- | --- | --- | --- |',
    ...attacks.map(({ attempt, outcome, by, evidence }) =>
      tableRow([attempt, outcome, by, `\`${evidence.replaceAll('`', "'")}\``]),
    ),
    '',
  ].join('\n');
}
