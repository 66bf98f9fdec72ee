import { z } from 'zod';
import type { SeverityClaim, Verdict } from '../../../model/index.ts';
import { asJustification } from '../../../publish/record/narrow.ts';
import type { FlawDetail, PackageClaim } from '../../feed-content.ts';
import { feedInvalid, isObject, isoTime, levelOfScore, plainLine, shapedAs } from '../adapter.ts';
import { csafProducts } from './csaf-products.ts';
import { claimOn, idOf, statementTimes, type VendorDocument } from './vendor-document.ts';

const text = z.string().max(10_000);
const long = z.string().max(100_000);
const ids = z.array(text).max(100_000);
const schema = z.object({
  document: z.object({
    csaf_version: z.literal('2.0'),
    publisher: z.object({ name: text, namespace: text }),
    tracking: z.object({
      id: text,
      status: z.enum(['draft', 'interim', 'final']),
      version: text,
      current_release_date: text,
    }),
  }),
  product_tree: z.record(z.string().max(100), z.unknown()).optional(),
  vulnerabilities: z
    .array(
      z.object({
        cve: text.optional(),
        ids: z.array(z.object({ text })).max(1_000).optional(),
        title: long.optional(),
        release_date: text.optional(),
        product_status: z.record(z.string().max(100), ids).optional(),
        flags: z
          .array(
            z.object({
              label: text,
              product_ids: ids.optional(),
              group_ids: ids.optional(),
              date: text.optional(),
            }),
          )
          .max(10_000)
          .optional(),
        threats: z
          .array(
            z.object({
              category: text,
              details: long,
              product_ids: ids.optional(),
              group_ids: ids.optional(),
            }),
          )
          .max(10_000)
          .optional(),
        scores: z
          .array(
            z.object({
              cvss_v3: z
                .object({ baseScore: z.number().min(0).max(10), vectorString: z.string().max(200) })
                .optional(),
            }),
          )
          .max(10_000)
          .optional(),
      }),
    )
    .max(100_000)
    .optional(),
});
type Csaf = z.infer<typeof schema>;
type Vulnerability = NonNullable<Csaf['vulnerabilities']>[number];

/**
 * What a group of products means for each of them (CSAF 2.0, 3.2.3.9). "recommended" is advice, no state. That a version
 * is the first, or last, affected one says so of that version.
 */
const GROUPS: Readonly<Record<string, Verdict>> = {
  known_affected: 'open',
  first_affected: 'open',
  last_affected: 'open',
  fixed: 'fixed',
  first_fixed: 'fixed',
  known_not_affected: 'not-affected',
  under_investigation: 'unknown',
};

/** isCsaf tells a CSAF document of any version. */
export function isCsaf(document: unknown): boolean {
  const head = isObject(document) ? document['document'] : undefined;
  return isObject(head) && typeof head['csaf_version'] === 'string';
}

/**
 * readCsafStatements takes what a CSAF 2.0 document (security advisory or VEX) says about packages; a draft says
 * nothing yet; pure.
 * @param date when it was fetched, ISO 8601
 * @throws advisory/feed-invalid
 */
export function readCsafStatements(document: unknown, date: string): VendorDocument {
  const { document: head, product_tree: tree, vulnerabilities = [] } = shapedAs(schema, document, 'csaf');
  const { tracking, publisher } = head;
  const id = plainLine(tracking.id);
  const written = isoTime(tracking.current_release_date);
  if (written === undefined) throw feedInvalid('csaf', `the date of ${id} cannot be read`);
  const by = plainLine(publisher.name).slice(0, 100) || 'an unnamed publisher';
  const base = {
    by,
    id: `${plainLine(publisher.namespace)} ${id}`,
    edition: `${written} ${tracking.version}`,
  };
  if (tracking.status === 'draft') return { ...base, claims: [], details: [] };
  const products = csafProducts(tree ?? {}, id);
  const details: FlawDetail[] = [];
  const claims = vulnerabilities.flatMap((vulnerability): PackageClaim[] => {
    const name = idOf(
      vulnerability.cve ?? '',
      (vulnerability.ids ?? []).map((each) => each.text),
    );
    if (name === undefined) return [];
    details.push(detailOf(name, vulnerability));
    const labels = byProduct(vulnerability.flags ?? [], products.groups, ({ label }) => label);
    const impacts = (vulnerability.threats ?? []).filter(({ category }) => category === 'impact');
    const words = byProduct(impacts, products.groups, (threat) => threat.details);
    return Object.entries(GROUPS).flatMap(([group, verdict]) =>
      (vulnerability.product_status?.[group] ?? []).flatMap((product) => {
        if (!products.known.has(product))
          throw feedInvalid('csaf', `${id} speaks of a product that it does not name`);
        const named = products.packages.get(product);
        if (!named) return [];
        const justification = asJustification(labels.get(product));
        const said = words.get(product);
        const statement = {
          ...{ verdict, by, document: id, ...statementTimes(written, date) },
          ...(verdict === 'not-affected' && justification ? { justification } : {}),
          ...(said === undefined ? {} : { words: plainLine(said) }),
        };
        return claimOn(name, named, statement) ?? [];
      }),
    );
  });
  return { ...base, claims, details };
}

/** What flags and threats say of each product, by name or by group. */
function byProduct<
  T extends {
    readonly product_ids?: readonly string[] | undefined;
    readonly group_ids?: readonly string[] | undefined;
  },
>(
  items: readonly T[],
  groups: ReadonlyMap<string, readonly string[]>,
  textOf: (item: T) => string,
): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  for (const item of items) {
    const members = (item.group_ids ?? []).flatMap((group) => groups.get(group) ?? []);
    for (const product of [...(item.product_ids ?? []), ...members])
      if (!said.has(product)) said.set(product, textOf(item));
  }
  return said;
}

function detailOf(id: string, { title, release_date, scores = [] }: Vulnerability): FlawDetail {
  const disclosedAt = isoTime(release_date);
  const rated = scores.flatMap(({ cvss_v3: cvss }) => cvss ?? []);
  // A score stands there once for each group of products.
  const severities = new Map(
    rated.map(({ baseScore: score, vectorString }): [string, SeverityClaim] => {
      const vector = plainLine(vectorString);
      return [vector, { source: 'csaf', level: levelOfScore(score), score, vector }];
    }),
  );
  return {
    ...{ feed: 'csaf', id, aliases: [], state: 'active' },
    ...(title === undefined ? {} : { title: plainLine(title) }),
    ...(disclosedAt === undefined ? {} : { disclosedAt }),
    severities: [...severities.values()].slice(0, 20),
  };
}
