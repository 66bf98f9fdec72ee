import { z } from 'zod';
import type { Verdict } from '../../../model/index.ts';
import { OPENVEX_CONTEXT, OPENVEX_STATUS } from '../../../publish/openvex/openvex.ts';
import { asJustification } from '../../../publish/record/narrow.ts';
import type { FlawDetail, PackageClaim } from '../../feed-content.ts';
import { feedInvalid, isObject, isoTime, plainLine, shapedAs } from '../adapter.ts';
import { claimOn, idOf, statementTimes, type VendorDocument } from './vendor-document.ts';

const text = z.string().max(10_000);
const subject = z.object({
  '@id': text.optional(),
  identifiers: z.record(z.string().max(100), text).optional(),
});
const schema = z.object({
  '@id': text,
  author: text,
  timestamp: text,
  version: z.union([z.int(), text]),
  last_updated: text.optional(),
  statements: z
    .array(
      z.object({
        vulnerability: z.object({
          '@id': text.optional(),
          name: text,
          aliases: z.array(text).max(1_000).optional(),
        }),
        products: z
          .array(subject.extend({ subcomponents: z.array(subject).max(100_000).optional() }))
          .max(100_000)
          .optional(),
        status: text,
        justification: text.optional(),
        impact_statement: z.string().max(100_000).optional(),
        timestamp: text.optional(),
        last_updated: text.optional(),
      }),
    )
    .max(200_000),
});
type Statement = z.infer<typeof schema>['statements'][number];

const VERDICTS = new Map(Object.entries(OPENVEX_STATUS).map(([verdict, word]) => [word, verdict as Verdict]));

/** isOpenVex tells an OpenVEX document of any version. */
export function isOpenVex(document: unknown): boolean {
  return isObject(document) && /^https:\/\/openvex\.dev\/ns\b/.test(String(document['@context']));
}

/**
 * readOpenVexStatements takes what a document of OpenVEX 0.2.0 says about packages; pure.
 * @param date when it was fetched, ISO 8601
 * @throws advisory/feed-invalid
 */
export function readOpenVexStatements(document: unknown, date: string): VendorDocument {
  if (!isObject(document) || document['@context'] !== OPENVEX_CONTEXT)
    throw feedInvalid('csaf', 'an OpenVEX document in it is not of version 0.2.0');
  const read = shapedAs(schema, document, 'csaf');
  const id = plainLine(read['@id']);
  const written = isoTime(read.timestamp);
  if (written === undefined) throw feedInvalid('csaf', `the date of ${id} cannot be read`);
  const by = plainLine(read.author).slice(0, 100) || 'an unnamed author';
  // A later statement about the same flaw and product takes the place of the one before.
  const claims = new Map<string, PackageClaim>();
  const details = new Map<string, FlawDetail>();
  const dated = read.statements
    .map((each) => ({ each, at: isoTime(each.last_updated ?? each.timestamp) ?? written }))
    .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  for (const { each, at } of dated) {
    const name = idOf(each.vulnerability.name, each.vulnerability.aliases ?? []);
    const verdict = VERDICTS.get(each.status);
    if (verdict === undefined)
      throw feedInvalid('csaf', `${id} has the status ${plainLine(each.status).slice(0, 40)}`);
    if (name === undefined) continue;
    details.set(name, { feed: 'csaf', id: name, aliases: [], state: 'active', severities: [] });
    const justification = asJustification(each.justification);
    const statement = {
      ...{ verdict, by, document: id, ...statementTimes(at, date) },
      ...(verdict === 'not-affected' && justification ? { justification } : {}),
      ...(each.impact_statement === undefined ? {} : { words: plainLine(each.impact_statement) }),
    };
    for (const purl of purlsOf(each, verdict)) {
      const claim = claimOn(name, { purl }, statement);
      if (claim) claims.set(`${name}\n${purl}`, claim);
    }
  }
  const edition = `${isoTime(read.last_updated) ?? written} ${String(read.version).slice(0, 20).padStart(20, '0')}`;
  return { by, id, edition, claims: [...claims.values()], details: [...details.values()] };
}

/**
 * The packages a statement is about as a whole. What is said of a part of a product ("not affected by way of this
 * part") clears neither the rest of the product nor the part elsewhere; that a part of it is affected does affect it.
 */
function purlsOf({ products = [] }: Statement, verdict: Verdict): string[] {
  return products.flatMap(({ '@id': id, identifiers, subcomponents = [] }) => {
    if (subcomponents.length > 0 && (verdict === 'not-affected' || verdict === 'fixed')) return [];
    return [...new Set([id, identifiers?.['purl']])].filter((each) => each?.startsWith('pkg:') === true);
  }) as string[];
}
