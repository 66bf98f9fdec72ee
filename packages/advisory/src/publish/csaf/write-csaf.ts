import type { AdvisoryRecord, RecordStatus } from '../../model/index.ts';
import { isCve, systemOf } from '../record/id-systems.ts';
import { componentId } from '../record/product-id.ts';
import { CSAF_FOLDER, csafPath, type Publisher, pageUrl } from '../record/publisher.ts';
import { sortKeys } from '../record/read-record.ts';
import { type Remedy, remediesOf } from '../record/remedies.ts';
import { severityText, worstSeverity } from '../record/severity.ts';
import { readCvssV3 } from './cvss.ts';
import { productTree } from './product-tree.ts';

/** Which profile of CSAF 2.0 (section 4): a security advisory, or a VEX. */
export type CsafProfile = 'csaf_security_advisory' | 'csaf_vex';

/** csafTrackingId names the document of a record: the VEX is a document of its own. */
export function csafTrackingId(record: Pick<AdvisoryRecord, 'id'>, profile: CsafProfile): string {
  return profile === 'csaf_vex' ? `${record.id}-VEX` : record.id;
}

/** csafUrl is where the document is published. */
export function csafUrl(record: AdvisoryRecord, profile: CsafProfile, publisher: Publisher): string {
  const path = csafPath(csafTrackingId(record, profile), record.publishedAt);
  return `${publisher.url}/${CSAF_FOLDER}/white/${path}`;
}

/**
 * writeCsaf writes a record as a document of CSAF 2.0, with TLP:WHITE, its keys in order (test 6.2.13). The dates in it are those of
 * the record, so that the same record is the same bytes.
 */
export function writeCsaf(record: AdvisoryRecord, profile: CsafProfile, publisher: Publisher): string {
  const document = {
    document: documentPart(record, profile, publisher),
    product_tree: productTree(record),
    vulnerabilities: [vulnerabilityPart(record)],
  };
  return `${JSON.stringify(document, sortKeys, 2)}\n`;
}

function documentPart(record: AdvisoryRecord, profile: CsafProfile, publisher: Publisher): unknown {
  const { withdrawn } = record;
  const worst = worstSeverity(record.severities);
  return {
    category: profile,
    csaf_version: '2.0',
    lang: 'en',
    title: record.title,
    distribution: { tlp: { label: 'WHITE', url: 'https://www.first.org/tlp/' } },
    ...(worst !== 'unknown' && { aggregate_severity: { text: worst } }),
    publisher: {
      category: 'vendor',
      name: publisher.name,
      namespace: publisher.url,
      ...(publisher.contact !== undefined && { contact_details: publisher.contact }),
    },
    notes: [
      { category: 'summary', title: 'Summary', text: record.description || record.title },
      ...(withdrawn
        ? [{ category: 'general', title: 'Withdrawn', text: `${withdrawn.at} ${withdrawn.reason}` }]
        : []),
    ],
    references: [
      { category: 'self', summary: 'This document', url: csafUrl(record, profile, publisher) },
      { category: 'self', summary: 'The page for people', url: pageUrl(publisher, record.id) },
      ...record.references.map(({ kind, summary, url }) => ({ category: kind, summary, url })),
    ],
    tracking: {
      id: csafTrackingId(record, profile),
      status: record.state,
      version: String(record.revisions.at(-1)?.number ?? 1),
      initial_release_date: record.publishedAt,
      current_release_date: record.modifiedAt,
      revision_history: record.revisions.map(({ number, date, summary }) => ({
        number: String(number),
        date,
        summary,
      })),
      generator: { date: record.modifiedAt, engine: { name: 'plinth' } },
    },
  };
}

function vulnerabilityPart(record: AdvisoryRecord): unknown {
  const { id, aliases } = record.vulnerability;
  const others = [id, ...aliases].filter((name) => !isCve(name));
  const [weakness] = record.weaknesses;
  const threats = threatsOf(record);
  const remediations = remediesOf(record).map(remediation);
  const flags = record.statuses.flatMap((status) =>
    status.justification === undefined
      ? []
      : [{ label: status.justification, product_ids: idsOf(status), date: status.decidedAt }],
  );
  const scores = scoresOf(record);
  return {
    ...(isCve(id) && { cve: id }),
    ...(others.length > 0 && { ids: others.map((text) => ({ system_name: systemOf(text), text })) }),
    title: record.title,
    ...(weakness && { cwe: { id: weakness.id, name: weakness.name } }),
    notes: notesOf(record),
    product_status: productStatus(record),
    ...(flags.length > 0 && { flags }),
    ...(scores.length > 0 && { scores }),
    ...(threats.length > 0 && { threats }),
    ...(remediations.length > 0 && { remediations }),
    ...(record.clocks.disclosedAt !== undefined && { release_date: record.clocks.disclosedAt }),
  };
}

/** The text that names further CVE identifiers: `cve` holds one, and `ids` none (test 6.2.17). */
export const ALIASES_NOTE = 'Further CVE identifiers';
/** What became of the identifier, when it is not in force. */
export const STATE_NOTE = 'State of the identifier';

function notesOf(record: AdvisoryRecord): readonly unknown[] {
  const { vulnerability, severities, knownExploited } = record;
  const cves = vulnerability.aliases.filter(isCve);
  const other = (title: string, text: string) => ({ category: 'other', title, text });
  return [
    { category: 'description', title: 'Description', text: record.description || record.title },
    ...(cves.length > 0 ? [other(ALIASES_NOTE, cves.join(' '))] : []),
    ...(vulnerability.state === 'active' ? [] : [other(STATE_NOTE, vulnerability.state)]),
    ...(severities.length > 0 ? [other('Severity by source', severityText(record))] : []),
    ...(knownExploited ? [other('Known exploited', `Listed by CISA since ${knownExploited.addedAt}.`)] : []),
  ];
}

/** idsOf are the ids a status speaks of: the release, and each component in it. */
function idsOf({ product, components }: RecordStatus): readonly string[] {
  return [product, ...components.map(({ purl }) => componentId(product, purl))];
}

function productStatus({ statuses }: AdvisoryRecord): unknown {
  const of = (verdict: RecordStatus['verdict']) =>
    statuses.filter((status) => status.verdict === verdict).flatMap(idsOf);
  const notFixed = new Set(
    statuses.filter(({ verdict }) => verdict !== 'fixed').map(({ product }) => product),
  );
  const firstFixed = new Set(
    statuses.flatMap(({ fixedInProduct = '' }) => (notFixed.has(fixedInProduct) ? [] : [fixedInProduct])),
  );
  firstFixed.delete('');
  const groups = {
    known_affected: of('open'),
    fixed: of('fixed'),
    first_fixed: [...firstFixed],
    known_not_affected: of('not-affected'),
    under_investigation: of('unknown'),
  };
  return Object.fromEntries(Object.entries(groups).filter(([, ids]) => ids.length > 0));
}

/** A score counts for what is affected; for what is fixed it would say that it is still as bad (test 6.2.19). */
function scoresOf(record: AdvisoryRecord): readonly unknown[] {
  const products = record.statuses.filter(({ verdict }) => verdict === 'open').flatMap(idsOf);
  const cvss = record.severities.map(({ vector = '' }) => readCvssV3(vector)).find((found) => found);
  return cvss && products.length > 0 ? [{ cvss_v3: cvss, products }] : [];
}

function threatsOf({ statuses, knownExploited }: AdvisoryRecord): readonly unknown[] {
  const impacts = statuses.flatMap((status) =>
    status.verdict === 'not-affected' && status.reason !== ''
      ? [{ category: 'impact', details: status.reason, product_ids: idsOf(status), date: status.decidedAt }]
      : [],
  );
  const affected = statuses.filter(({ verdict }) => verdict === 'open').flatMap(idsOf);
  if (!knownExploited || affected.length === 0) return impacts;
  const details = `Used in attacks, as listed by CISA since ${knownExploited.addedAt}.`;
  return [...impacts, { category: 'exploit_status', details, product_ids: affected }];
}

const CATEGORIES: Readonly<Record<Remedy['kind'], string>> = {
  fix: 'vendor_fix',
  mitigation: 'mitigation',
  workaround: 'workaround',
  'none-available': 'none_available',
  'no-fix-planned': 'no_fix_planned',
};
const RESTARTS: Readonly<Record<Remedy['restart'], string>> = {
  none: 'none',
  service: 'service',
  machine: 'machine',
};

function remediation({ kind, text, products, restart, url, date }: Remedy): unknown {
  return {
    category: CATEGORIES[kind],
    details: text || 'See the references.',
    product_ids: products,
    ...(kind === 'fix' && { restart_required: { category: RESTARTS[restart] } }),
    ...(url !== undefined && { url }),
    ...(date !== undefined && { date }),
  };
}
