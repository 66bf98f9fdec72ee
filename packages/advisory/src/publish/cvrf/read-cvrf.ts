import { asList, readJson, textAt, texts, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { Verdict } from '../../model/index.ts';
import { type Fact, sortFacts } from '../record/facts.ts';
import { asIdState, asJustification, requireIds } from '../record/narrow.ts';
import { splitComponentId } from '../record/product-id.ts';
import { fixReader } from '../record/remedies.ts';
import { childOf, childrenOf, readXml, textOf, type XmlElement } from '../xml/read-xml.ts';
import { NOTES, STATUS_TYPES, THREAT_TYPES } from './model.ts';

interface Group {
  readonly type: string;
  readonly text: string;
  readonly products: readonly string[];
}

/** What of a vulnerability carries facts, whether it was XML or JSON. */
interface ReadVulnerability {
  readonly advisory: string;
  readonly notes: readonly { readonly title: string; readonly text: string }[];
  readonly statuses: readonly Group[];
  readonly threats: readonly Group[];
  readonly remedies: readonly Group[];
}

/**
 * readCvrfXml reads the facts of a month that was written as CVRF 1.2.
 * @param name what the document is called in errors
 * @throws advisory/document-refused
 */
export function readCvrfXml(bytes: Uint8Array, name: string): readonly Fact[] {
  const root = readXml(decodeText(bytes, name), name);
  if (root.name !== 'cvrfdoc') throw refuse(name, `its element is ${root.name}`, 'cvrfdoc');
  const groups = (element: XmlElement, list: string, item: string): readonly Group[] =>
    childrenOf(childOf(element, list), item).map((group) => ({
      type: group.attributes['Type'] ?? '',
      text: textOf(group, 'Description') ?? '',
      products: childrenOf(group, 'ProductID').map(({ text }) => text),
    }));
  const read = childrenOf(root, 'Vulnerability').map(
    (element): ReadVulnerability => ({
      advisory: textOf(element, 'ID') ?? '',
      notes: childrenOf(childOf(element, 'Notes'), 'Note').map(({ attributes, text }) => {
        return { title: attributes['Title'] ?? '', text };
      }),
      statuses: groups(element, 'ProductStatuses', 'Status'),
      threats: groups(element, 'Threats', 'Threat'),
      remedies: groups(element, 'Remediations', 'Remediation'),
    }),
  );
  return sortFacts(read.flatMap((vulnerability) => facts(vulnerability, name)));
}

/**
 * readCvrfJson reads the facts of a month in the JSON of Microsoft's API.
 * @throws advisory/document-refused
 */
export function readCvrfJson(bytes: Uint8Array, name: string): readonly Fact[] {
  const data = readJson(decodeText(bytes, name), name);
  if (textAt(data, 'DocumentTracking', 'Identification', 'ID', 'Value') === undefined)
    throw refuse(name, 'it has no tracking id', 'a CVRF document');
  const groups = (item: unknown, list: string, types: readonly string[]): readonly Group[] =>
    asList(valueAt(item, list)).map((group) => {
      const type = valueAt(group, 'Type');
      return {
        type: typeof type === 'number' ? (types[type] ?? '') : '',
        text: textAt(group, 'Description', 'Value') ?? '',
        products: texts(valueAt(group, 'ProductID')),
      };
    });
  const read = asList(valueAt(data, 'Vulnerability')).map(
    (item): ReadVulnerability => ({
      advisory: textAt(item, 'ID', 'Value') ?? '',
      notes: asList(valueAt(item, 'Notes')).map((note) => {
        return { title: textAt(note, 'Title') ?? '', text: textAt(note, 'Value') ?? '' };
      }),
      statuses: groups(item, 'ProductStatuses', STATUS_TYPES),
      threats: groups(item, 'Threats', THREAT_TYPES),
      remedies: groups(item, 'Remediations', []),
    }),
  );
  return sortFacts(read.flatMap((vulnerability) => facts(vulnerability, name)));
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  Fixed: 'fixed',
  'Known Affected': 'open',
  'Known Not Affected': 'not-affected',
};

function facts(vulnerability: ReadVulnerability, name: string): readonly Fact[] {
  const note = (title: string) => vulnerability.notes.find((one) => one.title === title)?.text;
  const all = (note(NOTES.identifiers) ?? '').split(' ');
  requireIds(all, name);
  const [id = '', ...aliases] = all;
  const fixes = fixReader();
  for (const { text, products } of vulnerability.remedies) fixes.add(text, products);
  const reasons = new Map(
    vulnerability.threats.flatMap(({ type, text, products }) => {
      const reason =
        type === 'Impact' ? asJustification(/^Not affected \(([a-z_]+)\)/.exec(text)?.[1]) : undefined;
      return reason ? products.map((product) => [product, reason] as const) : [];
    }),
  );
  const withdrawnAt = note(NOTES.withdrawn)?.split(' ', 1)[0];
  const asked = (note(NOTES.investigation) ?? '').split(' ').filter((text) => text !== '');
  const groups = [
    ...vulnerability.statuses.flatMap(({ type, products }) => {
      const verdict = VERDICTS[type];
      return verdict ? [{ verdict, products }] : [];
    }),
    { verdict: 'unknown' as const, products: asked },
  ];
  const rest = {
    ...{ advisory: vulnerability.advisory, id, aliases, state: asIdState(note(NOTES.state)) },
    ...(withdrawnAt !== undefined && { withdrawnAt }),
  };
  return groups.flatMap(({ verdict, products }) => {
    const places = products.map(splitComponentId);
    // By product at once: a document from outside may name very many.
    const inside = Map.groupBy(places, ({ product }) => product);
    return places
      .filter(({ purl }) => purl === undefined)
      .map(({ product }): Fact => {
        const justification = reasons.get(product);
        const fixedIn = fixes.fixedIn(product);
        return {
          ...{ ...rest, product, verdict },
          ...(justification && { justification }),
          ...(fixedIn !== undefined && { fixedIn }),
          components: (inside.get(product) ?? []).flatMap(({ purl }) =>
            purl === undefined ? [] : [fixes.component(product, purl)],
          ),
        };
      });
  });
}
