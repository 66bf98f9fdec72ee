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

/** What the rules said of an inventory, before names of one flaw are joined. */
export interface Said {
  readonly inventory: Inventory;
  readonly knowledge: Knowledge;
  readonly options: JudgeOptions;
  readonly judgements: readonly Judgement[];
  /** Every identifier that turned up: whoever concludes looks up what is known of them. */
  readonly ids: readonly string[];
}

/** judge tells what is open, fixed, not affected and unknown in an inventory by what the feeds say; pure. */
export function judge(
  inventory: Inventory,
  known: Knowledge,
  options: JudgeOptions,
  flaws: FlawFacts = NOTHING,
): ScanReport {
  return conclude(applyRules(inventory, known, options), flaws);
}

/** applyRules is the first half of judge. */
export function applyRules(inventory: Inventory, known: Knowledge, options: JudgeOptions): Said {
  const components = sourceComponents(inventory);
  // A vendor's word is about versions, not about ranges of a flaw: it has a rule of its own.
  const knowledge = { ...known, claims: known.claims.filter(({ statement }) => statement === undefined) };
  const judgements = [
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
  const ids = [...new Set(judgements.flatMap(({ id, aliases }) => [id, ...aliases]))];
  return { inventory, knowledge, options, judgements, ids };
}

/** conclude is the second half of judge. @param flaws what is known of the identifiers that turned up */
export function conclude(said: Said, flaws: FlawFacts): ScanReport {
  const { inventory, knowledge, options, judgements: all } = said;
  const detailsOf = Map.groupBy(flaws.details, ({ id }) => id);
  const pairs = [
    ...flaws.aliases,
    ...[...all, ...flaws.details].flatMap(({ id, aliases }) => aliases.map((other) => [id, other] as const)),
  ];
  const nameOf = aliasSets(
    all.map(({ id }) => id),
    pairs,
  );
  const groups = Map.groupBy(all, ({ id }) => nameOf(id).id);
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
  return makeReport(inventory, sourceComponents(inventory), knowledge, findings, options);
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
