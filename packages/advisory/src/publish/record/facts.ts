import type { AdvisoryRecord, IdState, Verdict, VexJustification } from '../../model/index.ts';

/** What a record claims about one product. Every format that is published reads back to the same facts. */
export interface Fact {
  /** Id of the record; empty where the document is the result of a scan. */
  readonly advisory: string;
  readonly id: string;
  /** Sorted. */
  readonly aliases: readonly string[];
  readonly state: IdState;
  /** Product id. */
  readonly product: string;
  readonly verdict: Verdict;
  readonly justification?: VexJustification;
  /** Product id of the first release with the fix. */
  readonly fixedIn?: string;
  /** Sorted by purl. */
  readonly components: readonly FactComponent[];
  /** When the record was withdrawn. */
  readonly withdrawnAt?: string;
}

/** A component of a product with the flaw, or without it. */
export interface FactComponent {
  readonly purl: string;
  readonly fixVersion?: string;
}

/** factsOf gives the facts of records, in one order. */
export function factsOf(records: readonly AdvisoryRecord[]): readonly Fact[] {
  return sortFacts(
    records.flatMap((record) => {
      const { id, aliases, state } = record.vulnerability;
      return record.statuses.map(
        (status): Fact => ({
          ...{ advisory: record.id, id, aliases, state, product: status.product, verdict: status.verdict },
          ...(status.justification && { justification: status.justification }),
          ...(status.fixedInProduct !== undefined && { fixedIn: status.fixedInProduct }),
          components: status.components.map(({ purl, fixVersion }) => ({
            purl,
            ...(fixVersion !== undefined && { fixVersion }),
          })),
          ...(record.withdrawn && { withdrawnAt: record.withdrawn.at }),
        }),
      );
    }),
  );
}

/** sortFacts brings facts, and the lists in them, into one order: two sets that are equal compare equal. */
export function sortFacts(facts: readonly Fact[]): readonly Fact[] {
  return facts
    .map((fact) => ({
      ...fact,
      aliases: fact.aliases.toSorted(),
      components: fact.components.toSorted((left, right) => compare(left.purl, right.purl)),
    }))
    .toSorted(
      (left, right) =>
        compare(left.advisory, right.advisory) ||
        compare(left.id, right.id) ||
        compare(left.product, right.product) ||
        compare(left.verdict, right.verdict),
    );
}

/** compare orders texts by their code units, as `toSorted` does. */
export function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
