import { writeXml, type XmlOut, xml } from '../xml/write-xml.ts';
import type { CvrfDocument, CvrfRevision, CvrfVulnerability } from './model.ts';

const NAMESPACE = 'http://docs.oasis-open.org/csaf/ns/csaf-cvrf/v1.2';

/** writeCvrfXml writes a month as CVRF 1.2: elements in the order of its schema, prefixes as Microsoft's API has them. */
export function writeCvrfXml(document: CvrfDocument): string {
  const { publisher } = document;
  return writeXml(
    xml(
      'cvrf:cvrfdoc',
      {
        'xmlns:cvrf': `${NAMESPACE}/cvrf`,
        'xmlns:prod': `${NAMESPACE}/prod`,
        'xmlns:vuln': `${NAMESPACE}/vuln`,
      },
      [
        xml('cvrf:DocumentTitle', { 'xml:lang': 'en' }, document.title),
        xml('cvrf:DocumentType', { 'xml:lang': 'en' }, 'Security Update'),
        xml('cvrf:DocumentPublisher', { Type: 'Vendor' }, [
          publisher.contact === undefined ? undefined : xml('cvrf:ContactDetails', {}, publisher.contact),
          xml('cvrf:IssuingAuthority', {}, publisher.name),
        ]),
        xml('cvrf:DocumentTracking', {}, [
          xml('cvrf:Identification', {}, [
            xml('cvrf:ID', {}, document.id),
            xml('cvrf:Alias', {}, document.id),
          ]),
          xml('cvrf:Status', {}, document.state),
          xml('cvrf:Version', {}, document.revisions.at(-1)?.number ?? '1.0'),
          xml('cvrf:RevisionHistory', {}, document.revisions.map(revisionElement)),
          xml('cvrf:InitialReleaseDate', {}, document.initial),
          xml('cvrf:CurrentReleaseDate', {}, document.current),
        ]),
        xml('cvrf:DocumentNotes', {}, [
          xml(
            'cvrf:Note',
            { Title: 'Release Notes', Audience: 'Public', Type: 'Details', Ordinal: '1' },
            `Advisories first published in ${document.id}.`,
          ),
        ]),
        xml('cvrf:DocumentDistribution', { 'xml:lang': 'en' }, 'TLP:WHITE'),
        productTree(document),
        ...document.vulnerabilities.map(vulnerabilityElement),
      ],
    ),
  );
}

function revisionElement({ number, date, description }: CvrfRevision): XmlOut {
  return xml('cvrf:Revision', {}, [
    xml('cvrf:Number', {}, number),
    xml('cvrf:Date', {}, date),
    xml('cvrf:Description', { 'xml:lang': 'en' }, description),
  ]);
}

function productTree({ products }: CvrfDocument): XmlOut {
  return xml(
    'prod:ProductTree',
    {},
    products.map(({ id, name, cpe }) =>
      xml('prod:FullProductName', { ProductID: id, CPE: cpe22(cpe) }, name),
    ),
  );
}

/** The schema of CVRF takes the URI binding of CPE 2.2 only; of a release: part, vendor, product, version. */
function cpe22(cpe: string | undefined): string | undefined {
  if (cpe === undefined) return undefined;
  const fields = cpe.split(':').slice(2, 6);
  return `cpe:/${fields.map((field) => encodeURIComponent(field.replaceAll('\\', '')).replaceAll('~', '%7E')).join(':')}`;
}

function vulnerabilityElement(vulnerability: CvrfVulnerability, index: number): XmlOut {
  const { statuses, threats, scores, remedies, cve } = vulnerability;
  return xml('vuln:Vulnerability', { Ordinal: String(index + 1) }, [
    xml('vuln:Title', { 'xml:lang': 'en' }, vulnerability.title),
    xml('vuln:ID', { SystemName: 'Plinth Security Advisories' }, vulnerability.advisory),
    xml(
      'vuln:Notes',
      {},
      vulnerability.notes.map(({ title, type, text }, place) =>
        xml('vuln:Note', { Title: title, Type: type, Ordinal: String(place + 1) }, text),
      ),
    ),
    cve === undefined ? undefined : xml('vuln:CVE', {}, cve),
    ...vulnerability.weaknesses.map(({ id, name }) => xml('vuln:CWE', { ID: id }, name)),
    list('vuln:ProductStatuses', statuses, ({ type, products }) =>
      xml('vuln:Status', { Type: type }, ids(products)),
    ),
    list('vuln:Threats', threats, ({ type, text, products }) =>
      xml('vuln:Threat', { Type: type }, [xml('vuln:Description', {}, text), ...ids(products)]),
    ),
    list('vuln:CVSSScoreSets', scores, ({ baseScore, vectorString, products }) =>
      xml('vuln:ScoreSetV3', {}, [
        xml('vuln:BaseScoreV3', {}, baseScore.toFixed(1)),
        xml('vuln:VectorV3', {}, vectorString),
        ...ids(products),
      ]),
    ),
    list('vuln:Remediations', remedies, ({ type, text, products, url, date }) =>
      xml('vuln:Remediation', { Type: type, Date: date }, [
        xml('vuln:Description', {}, text),
        url === undefined ? undefined : xml('vuln:URL', {}, url),
        ...ids(products),
      ]),
    ),
    list('vuln:References', vulnerability.references, ({ url, summary }) =>
      xml('vuln:Reference', {}, [xml('vuln:URL', {}, url), xml('vuln:Description', {}, summary)]),
    ),
  ]);
}

function ids(products: readonly string[]): readonly XmlOut[] {
  return products.map((id) => xml('vuln:ProductID', {}, id));
}

/** The schema wants no empty lists. */
function list<T>(name: string, items: readonly T[], element: (item: T) => XmlOut): XmlOut | undefined {
  return items.length === 0 ? undefined : xml(name, {}, items.map(element));
}
