import type { FlawDetail } from '../feeds/feed-content.ts';
import type { Finding, Inventory, ScanReport } from '../model/index.ts';
import { aliasSets } from './aliases.ts';
import { applyEvidence } from './apply-evidence.ts';
import { judgeByChangelog } from './changelog-rule.ts';
import { judgeGo, judgeNpm, judgeSourceByClaims } from './claim-rule.ts';
import { sourceComponents } from './components.ts';
import type { Judgement } from './judgement.ts';
import type { FlawFacts, JudgeOptions, Knowledge } from './knowledge.ts';
import { mergeJudgements } from './merge.ts';
import { makeReport } from './report.ts';
import { judgeToolchain, toolchainsOf } from './toolchain-rule.ts';
import { heedImage, judgeByVendors } from './vendor-rule.ts';

const NOTHING: FlawFacts = { details: [], aliases: [], seenAt: new Map() };

/**
 * judge tells what is open, fixed, not affected and unknown in an inventory by what the feeds say; pure.
 * @param factsOf what is known of the identifiers that turn up; asked once, with all of them
 */
export function judge(
  inventory: Inventory,
  known: Knowledge,
  options: JudgeOptions,
  factsOf: (ids: readonly string[]) => FlawFacts = () => NOTHING,
): ScanReport {
  const components = sourceComponents(inventory);
  // A vendor's word is about versions, not about ranges of a flaw: it has a rule of its own.
  const knowledge = { ...known, claims: known.claims.filter(({ statement }) => statement === undefined) };
  const said = [
    ...judgeByVendors(inventory, components, known, options.now),
    ...components.flatMap((component) => judgeByChangelog(component, knowledge, options)),
    ...components.flatMap((component) =>
      judgeSourceByClaims(component, knowledge, inventory.subject.codename),
    ),
    ...inventory.goPrograms.flatMap((program) => judgeGo(program, knowledge)),
    ...judgeNpm(inventory, knowledge),
    ...toolchainsOf(inventory.goPrograms, components).flatMap((toolchain) =>
      judgeToolchain(toolchain, knowledge),
    ),
  ];
  const flaws = factsOf([...new Set(said.flatMap(({ id, aliases }) => [id, ...aliases]))]);
  const detailsOf = Map.groupBy(flaws.details, ({ id }) => id);
  const pairs = [
    ...flaws.aliases,
    ...[...said, ...flaws.details].flatMap(({ id, aliases }) => aliases.map((other) => [id, other] as const)),
  ];
  const nameOf = aliasSets(
    said.map(({ id }) => id),
    pairs,
  );
  const groups = Map.groupBy(said, ({ id }) => nameOf(id).id);
  const findings = [...groups].map(([id, judgements]): Finding => {
    const { aliases } = nameOf(id);
    const details = [id, ...aliases].flatMap((name) => detailsOf.get(name) ?? []);
    const names = [id, ...aliases];
    const statements = (options.statements ?? []).filter((statement) => names.includes(statement.id));
    const asked = heedImage(
      judgements.map((each) => askImage(each, inventory, details, statements, options)),
    );
    const seen = [id, ...aliases].flatMap((name) => flaws.seenAt.get(name) ?? []).sort()[0];
    return mergeJudgements({ id, aliases, state: 'active' }, asked, details, seen);
  });
  return makeReport(inventory, components, knowledge, findings, options);
}

function askImage(
  judgement: Judgement,
  inventory: Inventory,
  details: readonly FlawDetail[],
  statements: NonNullable<JudgeOptions['statements']>,
  { evidence, now }: JudgeOptions,
): Judgement {
  if (!evidence) return judgement;
  const detail = details.find(({ programFiles }) => programFiles !== undefined) ?? details[0];
  return applyEvidence(judgement, inventory, { detail, statements }, evidence, now);
}
