import { parseProductId, splitComponentId } from '../record/product-id.ts';
import {
  type CvrfDocument,
  type CvrfRevision,
  type CvrfVulnerability,
  DOCUMENT_STATES,
  NOTE_TYPES,
  REMEDY_TYPES,
  STATUS_TYPES,
  THREAT_TYPES,
} from './model.ts';

/** Microsoft's API goes on where the schema ends: a threat of type 3 is the severity. */
const SEVERITY_THREAT = 3;
const BRANCH = { vendor: 0, productName: 2 } as const;

/** writeCvrfJson writes a month in the shape of Microsoft's API: texts as { Value }, enumerations as numbers. */
export function writeCvrfJson(document: CvrfDocument): string {
  const { publisher } = document;
  const data = {
    DocumentTitle: value(document.title),
    DocumentType: value('Security Update'),
    DocumentPublisher: {
      ContactDetails: value(publisher.contact ?? publisher.url),
      IssuingAuthority: value(publisher.name),
      Type: 0,
    },
    DocumentTracking: {
      Identification: { ID: value(document.id), Alias: value(document.id) },
      Status: DOCUMENT_STATES.indexOf(document.state),
      Version: document.revisions.at(-1)?.number ?? '1.0',
      RevisionHistory: document.revisions.map(revision),
      InitialReleaseDate: document.initial,
      CurrentReleaseDate: document.current,
    },
    DocumentNotes: [
      {
        ...{ Title: 'Release Notes', Audience: 'Public', Type: 1, Ordinal: '1' },
        Value: `Advisories first published in ${document.id}.`,
      },
    ],
    ProductTree: productTree(document),
    Vulnerability: document.vulnerabilities.map(vulnerability),
  };
  return `${JSON.stringify(data, undefined, 2)}\n`;
}

function value(text: string): { readonly Value: string } {
  return { Value: text };
}

function revision({ number, date, description }: CvrfRevision): unknown {
  return { Number: number, Date: date, Description: value(description) };
}

/** Vendor, then one branch for each release with what is in it; and all of them flat, as readers of the API look them up. */
function productTree({ products }: CvrfDocument): unknown {
  const names = products.map(({ id, name, cpe }) => ({
    ProductID: id,
    Value: name,
    ...(cpe !== undefined && { CPE: cpe }),
  }));
  const families = Map.groupBy(names, ({ ProductID: id }) => {
    const parts = parseProductId(splitComponentId(id).product);
    return parts ? `Plinth ${parts.version}` : 'Plinth';
  });
  const branches = [...families].map(([Name, Items]) => ({ Items, Type: BRANCH.productName, Name }));
  return { Branch: [{ Items: branches, Type: BRANCH.vendor, Name: 'Plinth' }], FullProductName: names };
}

function vulnerability(item: CvrfVulnerability, index: number): unknown {
  const { severity } = item;
  const threats = [
    ...item.threats.map(({ type, text, products }) => threat(THREAT_TYPES.indexOf(type), text, products)),
    ...(severity === undefined ? [] : [threat(SEVERITY_THREAT, severity, item.products)]),
  ];
  return {
    Title: value(item.title),
    ID: { SystemName: 'Plinth Security Advisories', Value: item.advisory },
    Notes: item.notes.map(({ title, type, text }, place) => ({
      Title: title,
      Type: NOTE_TYPES.indexOf(type),
      Ordinal: String(place + 1),
      Value: text,
    })),
    DiscoveryDateSpecified: false,
    ReleaseDateSpecified: false,
    ...(item.cve !== undefined && { CVE: item.cve }),
    CWE: item.weaknesses.map(({ id, name }) => ({ ID: id, Value: name })),
    ProductStatuses: item.statuses.map(({ type, products }) => ({
      ProductID: products,
      Type: STATUS_TYPES.indexOf(type),
    })),
    Threats: threats,
    CVSSScoreSets: item.scores.map(({ baseScore, vectorString, products }) => ({
      ...{ BaseScore: baseScore, TemporalScore: baseScore, Vector: vectorString, ProductID: products },
    })),
    Remediations: item.remedies.map(({ type, text, products, restart, url, date }) => ({
      Description: value(text),
      ...(url !== undefined && { URL: url }),
      ProductID: products,
      Type: REMEDY_TYPES.indexOf(type),
      DateSpecified: date !== undefined,
      ...(date !== undefined && { Date: date }),
      RestartRequired: value(restart === 'machine' ? 'Yes' : 'No'),
      AffectedFiles: [],
    })),
    Acknowledgments: [],
    Ordinal: String(index + 1),
    RevisionHistory: item.revisions.map(revision),
  };
}

function threat(type: number, text: string, products: readonly string[]): unknown {
  return { Description: value(text), ProductID: products, Type: type, DateSpecified: false };
}
