import { compare } from '../../publish/record/facts.ts';
import type { FlawDetail, PackageClaim } from '../feed-content.ts';
import { type Adapter, DAY_MS, feedInvalid } from './adapter.ts';
import { isCsaf, readCsafStatements } from './vendor/csaf-statements.ts';
import { isOpenVex, readOpenVexStatements } from './vendor/openvex-statements.ts';
import { STATEMENTS_LIMIT, type VendorDocument } from './vendor/vendor-document.ts';

/**
 * What vendors say: CSAF 2.0 advisories and VEX, and OpenVEX 0.2.0, as a folder of documents of both kinds. Only what
 * is said about a package by its package URL counts; a statement about a vendor's product says nothing about the same
 * package elsewhere. Of two editions of one document the newer one counts.
 */
export const vendorStatements: Adapter = {
  name: 'csaf',
  validityMs: 30 * DAY_MS,
  recognises: (document) => isCsaf(document) || isOpenVex(document),
  read: (documents, date) => {
    if (documents.length === 0) throw feedInvalid('csaf', 'it has no document');
    const claims: PackageClaim[] = [];
    const details = new Map<string, FlawDetail>();
    for (const document of newest(documents.map((each) => readOne(each, date)))) {
      // One by one: a list of a million is too long for the arguments of a call.
      for (const claim of document.claims) claims.push(claim);
      for (const detail of document.details) details.set(detail.id, joined(details.get(detail.id), detail));
      if (claims.length > STATEMENTS_LIMIT)
        throw feedInvalid('csaf', `it makes more than ${STATEMENTS_LIMIT} statements`);
    }
    return { date, claims, details: [...details.values()] };
  },
};

function readOne(document: unknown, date: string): VendorDocument {
  return isOpenVex(document) ? readOpenVexStatements(document, date) : readCsafStatements(document, date);
}

function newest(documents: readonly VendorDocument[]): VendorDocument[] {
  const byId = Map.groupBy(documents, ({ by, id }) => `${by}\n${id}`);
  return [...byId.values()].flatMap((editions) => {
    const last = editions
      .map(({ edition }) => edition)
      .sort(compare)
      .at(-1);
    return editions.filter(({ edition }) => edition === last);
  });
}

/** Several vendors rate one flaw: their ratings stand side by side. */
function joined(known: FlawDetail | undefined, detail: FlawDetail): FlawDetail {
  if (!known) return detail;
  const severities = [...known.severities, ...detail.severities].slice(0, 20);
  return { ...detail, ...known, severities };
}
