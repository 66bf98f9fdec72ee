import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord, RecordStatus } from '../../model/index.ts';
import { compare, type Fact, type FactComponent, factsOf, sortFacts } from '../record/facts.ts';
import { asIdState, asJustification, asVerdict, requireIds } from '../record/narrow.ts';
import { parseProductId } from '../record/product-id.ts';
import { CSAF_FOLDER, csafPath } from '../record/publisher.ts';
import { remediesOf } from '../record/remedies.ts';
import { severityText, worstSeverity } from '../record/severity.ts';
import { childOf, childrenOf, readXml, type XmlElement } from '../xml/read-xml.ts';
import { type XmlOut, xml } from '../xml/write-xml.ts';
import { cell, htmlTable, pageXml, paragraph, writePage } from './page.ts';

const WORDS: Readonly<Record<RecordStatus['verdict'], string>> = {
  open: 'affected',
  fixed: 'fixed',
  'not-affected': 'not affected',
  unknown: 'not known yet',
};

/** What a reader looks for with the eye stays on one line. */
const SHORT = { class: 'short' };

/** writeIndexPage lists all advisories, changed last first. */
export function writeIndexPage(records: readonly AdvisoryRecord[], publisherName: string): string {
  const rows = records
    .toSorted(
      (left, right) =>
        Date.parse(right.modifiedAt) - Date.parse(left.modifiedAt) || compare(left.id, right.id),
    )
    .map((record) =>
      xml('tr', {}, [
        cell([xml('a', { href: `advisories/${record.id.toLowerCase()}.html` }, record.id)], SHORT),
        cell(record.vulnerability.id),
        cell(worstSeverity(record.severities)),
        cell(record.withdrawn ? `Withdrawn: ${record.title}` : record.title),
        cell(record.modifiedAt.slice(0, 10), SHORT),
      ]),
    );
  return writePage(`Security advisories of ${publisherName}`, '', [
    htmlTable(['Advisory', 'Identifier', 'Severity', 'Title', 'Changed'], rows),
    xml('p', {}, [
      xml('a', { href: 'feed.atom' }, 'Feed'),
      xml('a', { href: `${CSAF_FOLDER}/provider-metadata.json` }, 'CSAF'),
      xml('a', { href: 'cvrf/v3.0/updates.json' }, 'CVRF'),
    ]),
  ]);
}

/** writeAdvisoryPage shows one record to people. It has no script, and nothing in it is markup of somebody else. */
export function writeAdvisoryPage(record: AdvisoryRecord): string {
  const { vulnerability, withdrawn } = record;
  return writePage(`${record.id}: ${record.title}`, '../', [
    withdrawn ? paragraph(`Withdrawn ${withdrawn.at}: ${withdrawn.reason}`) : undefined,
    record.state === 'final' ? undefined : paragraph('Not final: it may change.'),
    record.description === '' ? undefined : paragraph(record.description),
    htmlTable(
      ['Field', 'Value'],
      [
        row('Identifiers', [vulnerability.id, ...vulnerability.aliases].join(', ')),
        row('State', vulnerability.state),
        row('Severity', severityText(record)),
        row(
          'Used in attacks',
          record.knownExploited ? `listed since ${record.knownExploited.addedAt}` : 'not known',
        ),
        row('Published', record.publishedAt),
        row('Changed', record.modifiedAt),
      ],
    ),
    xml('h2', {}, 'Releases'),
    htmlTable(['Release', 'State', 'Components', 'Fixed in', 'Why'], statusRows(record)),
    xml('h2', {}, 'What to do'),
    htmlTable(
      ['For', 'What'],
      remediesOf(record).map(({ products, text }) =>
        xml('tr', {}, [cell(products.join('\n'), { class: 'pre' }), cell(text, { class: 'pre' })]),
      ),
    ),
    xml('h2', {}, 'Evidence'),
    htmlTable(['Release', 'Statement', 'Source', 'Confidence'], evidenceRows(record)),
    xml('h2', {}, 'History'),
    htmlTable(
      ['Revision', 'Date', 'What changed'],
      record.revisions.map(({ number, date, summary }) =>
        xml('tr', {}, [cell(String(number)), cell(date), cell(summary)]),
      ),
    ),
    xml('h2', {}, 'References'),
    htmlTable(
      ['What', 'Address'],
      record.references.map(({ url, summary }) =>
        xml('tr', {}, [cell(summary), cell([xml('a', { href: url, rel: 'noreferrer' }, url)])]),
      ),
    ),
    xml('p', {}, [
      xml('a', { href: `../${CSAF_FOLDER}/white/${csafPath(record.id, record.publishedAt)}` }, 'CSAF'),
      xml('a', { href: `../osv/${record.id}.json` }, 'OSV'),
    ]),
  ]);
}

function row(title: string, text: string): XmlOut {
  return xml('tr', {}, [xml('th', { scope: 'row' }, title), cell(text)]);
}

function statusRows(record: AdvisoryRecord): readonly XmlOut[] {
  return factsOf([record]).map((fact) => {
    const status = record.statuses.find(({ product }) => product === fact.product);
    const data = {
      'data-advisory': fact.advisory,
      'data-ids': [fact.id, ...fact.aliases].join(' '),
      'data-state': fact.state,
      'data-product': fact.product,
      'data-verdict': fact.verdict,
      'data-justification': fact.justification,
      'data-fixed-in': fact.fixedIn,
      'data-withdrawn': fact.withdrawnAt,
    };
    const shown = parseProductId(fact.product);
    return xml('tr', data, [
      cell(shown ? `${shown.version} (${shown.architecture})` : fact.product, SHORT),
      cell(WORDS[fact.verdict], { class: `${fact.verdict} short` }),
      cell(
        fact.components.length === 0
          ? ''
          : [
              xml(
                'ul',
                {},
                fact.components.map((one) => componentItem(one, status)),
              ),
            ],
      ),
      cell(fact.fixedIn),
      cell(status?.reason, { class: 'pre' }),
    ]);
  });
}

function componentItem({ purl, fixVersion }: FactComponent, status: RecordStatus | undefined): XmlOut {
  const component = status?.components.find((one) => one.purl === purl);
  const name = component ? `${component.name} ${component.version}` : purl;
  const text = fixVersion === undefined ? name : `${name}, fixed in ${fixVersion}`;
  return xml('li', { 'data-purl': purl, 'data-fix': fixVersion }, text);
}

function evidenceRows({ statuses }: AdvisoryRecord): readonly XmlOut[] {
  return statuses.flatMap(({ product, evidence }) =>
    evidence.map(({ statement, source, locator, confidence }) =>
      xml('tr', {}, [
        cell(product),
        cell(statement, { class: 'pre' }),
        cell(locator === undefined ? source : `${source}: ${locator}`),
        cell(confidence),
      ]),
    ),
  );
}

/**
 * readAdvisoryPage reads the facts back out of a page.
 * @param name what the page is called in errors
 * @throws advisory/document-refused
 */
export function readAdvisoryPage(bytes: Uint8Array, name: string): readonly Fact[] {
  const root = readXml(pageXml(decodeText(bytes, name)), name);
  if (root.name !== 'html') throw refuse(name, `its element is ${root.name}`, 'html');
  const rows = childrenOf(childOf(root, 'body'), 'table').flatMap((table) =>
    childrenOf(childOf(table, 'tbody'), 'tr'),
  );
  return sortFacts(
    rows.flatMap((one) => {
      const { 'data-product': product, 'data-verdict': verdict } = one.attributes;
      return product === undefined ? [] : [rowFact(one, product, asVerdict(verdict), name)];
    }),
  );
}

function rowFact(one: XmlElement, product: string, verdict: Fact['verdict'] | undefined, name: string): Fact {
  const { attributes } = one;
  const ids = (attributes['data-ids'] ?? '').split(' ');
  requireIds(ids, name);
  if (verdict === undefined) throw refuse(name, 'a release has no state', 'one of the four');
  const [id = '', ...aliases] = ids;
  const justification = asJustification(attributes['data-justification']);
  const { 'data-fixed-in': fixedIn, 'data-withdrawn': withdrawnAt } = attributes;
  const items = childrenOf(one, 'td').flatMap((column) => childrenOf(childOf(column, 'ul'), 'li'));
  return {
    advisory: attributes['data-advisory'] ?? '',
    ...{ id, aliases, product, verdict, state: asIdState(attributes['data-state']) },
    ...(justification && { justification }),
    ...(fixedIn !== undefined && { fixedIn }),
    ...(withdrawnAt !== undefined && { withdrawnAt }),
    components: items.map(({ attributes: { 'data-purl': purl = '', 'data-fix': fixVersion } }) => ({
      purl,
      ...(fixVersion !== undefined && { fixVersion }),
    })),
  };
}
