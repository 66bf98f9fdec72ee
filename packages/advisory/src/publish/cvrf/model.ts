import type { AdvisoryRecord, RecordStatus } from '../../model/index.ts';
import { type CvssV3, readCvssV3 } from '../csaf/cvss.ts';
import { compare } from '../record/facts.ts';
import { isCve } from '../record/id-systems.ts';
import { componentId, productCpe } from '../record/product-id.ts';
import { type Publisher, pageUrl } from '../record/publisher.ts';
import { type Remedy, remediesOf } from '../record/remedies.ts';
import { severityText, worstSeverity } from '../record/severity.ts';

// CVRF 1.2 (OASIS, 2017). Numbers of enumerations are their places in the schema: that is what the JSON of Microsoft's API has.

export const NOTE_TYPES = [
  'General',
  'Details',
  'Description',
  'Summary',
  'FAQ',
  'Legal Disclaimer',
  'Other',
] as const;
export const STATUS_TYPES = [
  'First Affected',
  'First Fixed',
  'Fixed',
  'Known Affected',
  'Known Not Affected',
  'Last Affected',
  'Recommended',
] as const;
export const REMEDY_TYPES = [
  'Workaround',
  'Mitigation',
  'Vendor Fix',
  'None Available',
  'Will Not Fix',
] as const;
export const THREAT_TYPES = ['Impact', 'Exploit Status', 'Target Set'] as const;
export const DOCUMENT_STATES = ['Draft', 'Interim', 'Final'] as const;

export interface CvrfNote {
  readonly title: string;
  readonly type: (typeof NOTE_TYPES)[number];
  readonly text: string;
}

export interface CvrfGroup<Type extends string> {
  readonly type: Type;
  readonly text: string;
  readonly products: readonly string[];
}

/** A vulnerability of a month: one record. */
export interface CvrfVulnerability {
  readonly advisory: string;
  readonly title: string;
  readonly cve?: string;
  readonly notes: readonly CvrfNote[];
  readonly weaknesses: readonly { readonly id: string; readonly name: string }[];
  readonly statuses: readonly Omit<CvrfGroup<(typeof STATUS_TYPES)[number]>, 'text'>[];
  readonly threats: readonly CvrfGroup<(typeof THREAT_TYPES)[number]>[];
  readonly scores: readonly (CvssV3 & { readonly products: readonly string[] })[];
  readonly remedies: readonly (CvrfGroup<(typeof REMEDY_TYPES)[number]> &
    Pick<Remedy, 'restart' | 'url' | 'date'>)[];
  readonly references: readonly { readonly url: string; readonly summary: string }[];
  /** "Important"; absent when no source says how bad it is. */
  readonly severity?: string;
  /** Every product that is affected, fixed or asked about. */
  readonly products: readonly string[];
  readonly revisions: readonly CvrfRevision[];
}

export interface CvrfRevision {
  readonly number: string;
  readonly date: string;
  readonly description: string;
}

/** A month of advisories, as Microsoft's API offers them. */
export interface CvrfDocument {
  /** "2026-Nov". */
  readonly id: string;
  readonly title: string;
  readonly state: (typeof DOCUMENT_STATES)[number];
  readonly initial: string;
  readonly current: string;
  readonly revisions: readonly CvrfRevision[];
  readonly publisher: Publisher;
  readonly products: readonly CvrfProduct[];
  readonly vulnerabilities: readonly CvrfVulnerability[];
}

export interface CvrfProduct {
  readonly id: string;
  readonly name: string;
  readonly cpe?: string;
}

const MONTHS: readonly string[] = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];

/** cvrfMonth is the document a record belongs to, by its first publication: "2026-Nov". */
export function cvrfMonth(record: Pick<AdvisoryRecord, 'publishedAt'>): string {
  const date = new Date(record.publishedAt);
  return `${date.getUTCFullYear()}-${(MONTHS[date.getUTCMonth()] ?? '').slice(0, 3)}`;
}

/** Titles of notes that carry facts for which CVRF has no field. */
export const NOTES = {
  identifiers: 'Identifiers',
  state: 'State of the identifier',
  investigation: 'Under investigation',
  withdrawn: 'Withdrawn',
} as const;

/** notAffectedText: "Not affected (vulnerable_code_not_present): …" */
export function notAffectedText(justification: string, reason: string): string {
  return `Not affected (${justification})${reason === '' ? '' : `: ${reason}`}`;
}

/** monthDocument puts the records of one month together. @param records at least one, all of the month */
export function monthDocument(records: readonly AdvisoryRecord[], publisher: Publisher): CvrfDocument {
  const ordered = records.toSorted((left, right) => compare(left.id, right.id));
  const initial = ordered
    .map(({ publishedAt }) => publishedAt)
    .reduce(earlier, ordered[0]?.publishedAt ?? '');
  const month = cvrfMonth({ publishedAt: initial });
  const date = new Date(initial);
  const revisions = ordered
    .flatMap(({ id, revisions: own }) => own.map((revision) => ({ ...revision, id })))
    .toSorted((left, right) => Date.parse(left.date) - Date.parse(right.date))
    .map(({ date: at, id, summary }, index) => revision(index + 1, at, `${id}: ${summary}`));
  return {
    id: month,
    title: `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} Security Updates`,
    state: ordered.every(({ state }) => state === 'final') ? 'Final' : 'Interim',
    initial,
    current: revisions.at(-1)?.date ?? initial,
    revisions,
    publisher,
    products: productsOf(ordered),
    vulnerabilities: ordered.map((record) => vulnerabilityOf(record, publisher)),
  };
}

function earlier(left: string, right: string): string {
  return Date.parse(right) < Date.parse(left) ? right : left;
}

function revision(number: number, date: string, description: string): CvrfRevision {
  return { number: `${number}.0`, date, description };
}

function productsOf(records: readonly AdvisoryRecord[]): readonly CvrfProduct[] {
  const products = new Map<string, CvrfProduct>();
  for (const { products: releases, statuses } of records) {
    for (const release of releases) {
      const name = `${release.name} ${release.version} (${release.architecture})`;
      products.set(release.id, { id: release.id, name, cpe: productCpe(release) });
    }
    for (const { product, components } of statuses) {
      const place = products.get(product)?.name ?? product;
      for (const { purl, name, version } of components) {
        const id = componentId(product, purl);
        products.set(id, { id, name: `${name} ${version} on ${place}` });
      }
    }
  }
  return [...products.values()].toSorted((left, right) => compare(left.id, right.id));
}

function idsOf({ product, components }: RecordStatus): readonly string[] {
  return [product, ...components.map(({ purl }) => componentId(product, purl))];
}

const KINDS: Readonly<Record<Remedy['kind'], (typeof REMEDY_TYPES)[number]>> = {
  fix: 'Vendor Fix',
  mitigation: 'Mitigation',
  workaround: 'Workaround',
  'none-available': 'None Available',
  'no-fix-planned': 'Will Not Fix',
};
/** The words of Microsoft's scale, which readers of its API compare with. */
const SEVERITIES: Readonly<Record<string, string>> = {
  critical: 'Critical',
  high: 'Important',
  medium: 'Moderate',
  low: 'Low',
};

function vulnerabilityOf(record: AdvisoryRecord, publisher: Publisher): CvrfVulnerability {
  const { vulnerability, statuses } = record;
  const of = (verdict: RecordStatus['verdict']) =>
    statuses.filter((status) => status.verdict === verdict).flatMap(idsOf);
  const groups = [
    { type: 'Fixed', products: of('fixed') },
    { type: 'Known Affected', products: of('open') },
    { type: 'Known Not Affected', products: of('not-affected') },
  ] as const;
  const cvss = record.severities.map(({ vector = '' }) => readCvssV3(vector)).find((found) => found);
  const severity = SEVERITIES[worstSeverity(record.severities)];
  return {
    advisory: record.id,
    title: record.title,
    ...(isCve(vulnerability.id) && { cve: vulnerability.id }),
    notes: notesOf(record, of('unknown')),
    weaknesses: record.weaknesses,
    statuses: groups.filter(({ products }) => products.length > 0),
    threats: threatsOf(record, of('open')),
    scores: cvss && of('open').length > 0 ? [{ ...cvss, products: of('open') }] : [],
    remedies: remediesOf(record).map(({ kind, text, ...rest }) => ({
      ...rest,
      type: KINDS[kind],
      text: text || 'See the references.',
    })),
    references: [{ url: pageUrl(publisher, record.id), summary: record.id }, ...record.references],
    ...(severity !== undefined && { severity }),
    products: statuses.flatMap(idsOf),
    revisions: record.revisions.map(({ number, date, summary }) => revision(number, date, summary)),
  };
}

function notesOf(record: AdvisoryRecord, asked: readonly string[]): readonly CvrfNote[] {
  const { vulnerability, withdrawn } = record;
  const { id, aliases, state } = vulnerability;
  const other = (title: string, text: string): CvrfNote => ({ title, type: 'Other', text });
  return [
    { title: 'Description', type: 'Description', text: record.description || record.title },
    other(NOTES.identifiers, [id, ...aliases].join(' ')),
    ...(state === 'active' ? [] : [other(NOTES.state, state)]),
    ...(asked.length > 0 ? [other(NOTES.investigation, asked.join(' '))] : []),
    ...(record.severities.length > 0 ? [other('Severity by source', severityText(record))] : []),
    ...(withdrawn ? [other(NOTES.withdrawn, `${withdrawn.at} ${withdrawn.reason}`)] : []),
  ];
}

function threatsOf(
  { statuses, knownExploited }: AdvisoryRecord,
  open: readonly string[],
): CvrfVulnerability['threats'] {
  const impacts = statuses.flatMap((status) =>
    status.justification === undefined
      ? []
      : [
          {
            type: 'Impact' as const,
            text: notAffectedText(status.justification, status.reason),
            products: idsOf(status),
          },
        ],
  );
  if (!knownExploited || open.length === 0) return impacts;
  const text = `Exploited:Yes; listed by CISA since ${knownExploited.addedAt}`;
  return [...impacts, { type: 'Exploit Status', text, products: open }];
}
