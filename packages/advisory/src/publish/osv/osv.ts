import { asList, readJson, textAt, texts, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord, RecordComponent, RecordStatus } from '../../model/index.ts';
import { withoutVersion } from '../record/component-purl.ts';
import { compare, type Fact, factsOf, sortFacts } from '../record/facts.ts';
import { asIdState, asJustification, asVerdict, requireIds } from '../record/narrow.ts';
import { parseProductId } from '../record/product-id.ts';
import { type Publisher, pageUrl } from '../record/publisher.ts';
import { sortKeys } from '../record/read-record.ts';
import { worstSeverity } from '../record/severity.ts';

const SCHEMA = '1.7.0';

/**
 * writeOsv writes a record in the OSV format. `affected` says which versions have the flaw and which fixes it; "not affected"
 * and "being looked at" have no place in OSV, so `database_specific` has every status as it is.
 */
export function writeOsv(record: AdvisoryRecord, publisher: Publisher): string {
  const { id, aliases } = record.vulnerability;
  const severity = record.severities.flatMap(({ vector = '' }) => {
    const type = /^CVSS:([34])\./.exec(vector)?.[1];
    return type === undefined ? [] : [{ type: `CVSS_V${type}`, score: vector }];
  });
  const [best] = severity;
  const document = {
    schema_version: SCHEMA,
    id: record.id,
    published: record.publishedAt,
    modified: record.modifiedAt,
    ...(record.withdrawn && { withdrawn: record.withdrawn.at }),
    // Of a distribution: the advisory is not the flaw, it is downstream of it.
    upstream: [id, ...aliases],
    summary: record.title,
    details: record.description || record.title,
    ...(best && { severity: [best] }),
    affected: affectedOf(record),
    references: [
      { type: 'ADVISORY', url: pageUrl(publisher, record.id) },
      ...record.references.map(({ url }) => ({ type: 'WEB', url })),
    ],
    database_specific: {
      severity: worstSeverity(record.severities),
      identifier_state: record.vulnerability.state,
      statuses: factsOf([record]).map(({ product, verdict, justification, fixedIn, components }) => ({
        ...{ product, verdict, components },
        ...(justification && { justification }),
        ...(fixedIn !== undefined && { fixed_in: fixedIn }),
      })),
    },
  };
  return `${JSON.stringify(document, sortKeys, 2)}\n`;
}

/** ecosystemOf: "Plinth:0", by the first part of the version. */
export function ecosystemOf(productId: string): string {
  return `Plinth:${parseProductId(productId)?.version.split('.')[0] ?? '0'}`;
}

interface Entry {
  readonly ecosystem: string;
  readonly component: RecordComponent;
  readonly versions: Set<string>;
  readonly fixes: Set<string>;
}

/** One entry for each package and ecosystem: the versions that have the flaw, and where it ends. */
function affectedOf({ statuses }: AdvisoryRecord): readonly unknown[] {
  const entries = new Map<string, Entry>();
  const counted = statuses.filter(({ verdict }) => verdict === 'open' || verdict === 'fixed');
  for (const { product, verdict, components } of counted as readonly RecordStatus[]) {
    for (const component of components) {
      const key = `${ecosystemOf(product)}\n${withoutVersion(component.purl)}`;
      const entry = entries.get(key) ?? {
        ...{ ecosystem: ecosystemOf(product), component },
        ...{ versions: new Set<string>(), fixes: new Set<string>() },
      };
      if (verdict === 'open') entry.versions.add(component.version);
      if (component.fixVersion !== undefined) entry.fixes.add(component.fixVersion);
      else if (verdict === 'fixed') entry.fixes.add(component.version);
      entries.set(key, entry);
    }
  }
  return [...entries.values()].map(({ ecosystem, component, versions, fixes }) => ({
    package: { ecosystem, name: component.name, purl: withoutVersion(component.purl) },
    ranges: [...(fixes.size > 0 ? fixes : [undefined])].map((fixed) => ({
      type: 'ECOSYSTEM',
      events: [{ introduced: component.firstAffected ?? '0' }, ...(fixed === undefined ? [] : [{ fixed }])],
    })),
    ...(versions.size > 0 && { versions: [...versions].toSorted(compare) }),
  }));
}

/**
 * readOsv reads the facts of a record as Plinth writes it. What `affected` and the statuses say must agree.
 * @param name what the document is called in errors
 * @throws advisory/document-refused
 */
export function readOsv(bytes: Uint8Array, name: string): readonly Fact[] {
  const data = readJson(decodeText(bytes, name), name);
  const advisory = textAt(data, 'id');
  const ids = texts(valueAt(data, 'upstream'));
  if (advisory === undefined || !Array.isArray(valueAt(data, 'database_specific', 'statuses')))
    throw refuse(name, 'it has no id, or no statuses', 'an OSV record of Plinth');
  requireIds(ids, name);
  const [id = '', ...aliases] = ids;
  const withdrawnAt = textAt(data, 'withdrawn');
  const state = asIdState(textAt(data, 'database_specific', 'identifier_state'));
  const affected = new Set(
    asList(valueAt(data, 'affected')).map((entry) =>
      [textAt(entry, 'package', 'ecosystem'), textAt(entry, 'package', 'purl')].join('\n'),
    ),
  );
  return sortFacts(
    asList(valueAt(data, 'database_specific', 'statuses')).map((one): Fact => {
      const [product, verdict] = [textAt(one, 'product'), asVerdict(textAt(one, 'verdict'))];
      if (product === undefined || verdict === undefined)
        throw refuse(name, 'a status has no product or verdict', 'both');
      const components = asList(valueAt(one, 'components')).map((part) => {
        const fixVersion = textAt(part, 'fixVersion');
        return { purl: textAt(part, 'purl') ?? '', ...(fixVersion !== undefined && { fixVersion }) };
      });
      const missing = components.find(
        ({ purl }) => !affected.has(`${ecosystemOf(product)}\n${withoutVersion(purl)}`),
      );
      if (missing && (verdict === 'open' || verdict === 'fixed'))
        throw refuse(name, `${missing.purl} is ${verdict} and not listed as affected`, 'both to agree');
      const justification = asJustification(textAt(one, 'justification'));
      const fixedIn = textAt(one, 'fixed_in');
      return {
        ...{ advisory, id, aliases, state, product, verdict, components },
        ...(justification && { justification }),
        ...(fixedIn !== undefined && { fixedIn }),
        ...(withdrawnAt !== undefined && { withdrawnAt }),
      };
    }),
  );
}
