import { asList, asObject, readJson, textAt, texts, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { Verdict } from '../../model/index.ts';
import { type Fact, sortFacts } from '../record/facts.ts';
import { asIdState, asJustification, requireIds } from '../record/narrow.ts';
import { fixReader } from '../record/remedies.ts';
import { ALIASES_NOTE, STATE_NOTE } from './write-csaf.ts';

const GROUPS: readonly (readonly [string, Verdict])[] = [
  ['known_affected', 'open'],
  ['fixed', 'fixed'],
  ['known_not_affected', 'not-affected'],
  ['under_investigation', 'unknown'],
];
/**
 * readCsaf reads the facts of a CSAF 2.0 document as Plinth publishes it, a security advisory or a VEX.
 * @param name what the document is called in errors
 * @throws advisory/document-refused past the limits, or when it is no such document
 */
export function readCsaf(bytes: Uint8Array, name: string): readonly Fact[] {
  const data = readJson(decodeText(bytes, name), name);
  const document = asObject(valueAt(data, 'document'));
  if (document['csaf_version'] !== '2.0') throw refuse(name, 'it is not CSAF 2.0', 'a CSAF 2.0 document');
  const advisory = (textAt(document, 'tracking', 'id') ?? '').replace(/-VEX$/, '');
  const withdrawnAt = noteText(document['notes'], 'Withdrawn')?.split(' ', 1)[0];
  const places = componentPlaces(valueAt(data, 'product_tree', 'relationships'));
  return sortFacts(
    asList(valueAt(data, 'vulnerabilities')).flatMap((vulnerability) => {
      const rest = { advisory, ...(withdrawnAt !== undefined && { withdrawnAt }) };
      return vulnerabilityFacts(asObject(vulnerability), places, rest, name);
    }),
  );
}

type Places = ReadonlyMap<string, { readonly product: string; readonly purl: string }>;

/** Which component in which release an id stands for. */
function componentPlaces(relationships: unknown): Places {
  return new Map(
    asList(relationships).flatMap((relationship) => {
      const id = textAt(relationship, 'full_product_name', 'product_id');
      const product = textAt(relationship, 'relates_to_product_reference');
      const purl = textAt(relationship, 'full_product_name', 'product_identification_helper', 'purl');
      return id === undefined || product === undefined || purl === undefined ? [] : [[id, { product, purl }]];
    }),
  );
}

function noteText(notes: unknown, title: string): string | undefined {
  return textAt(
    asList(notes).find((note) => textAt(note, 'title') === title),
    'text',
  );
}

function vulnerabilityFacts(
  vulnerability: Readonly<Record<string, unknown>>,
  places: Places,
  rest: { readonly advisory: string; readonly withdrawnAt?: string },
  name: string,
): readonly Fact[] {
  const { cve, ids, notes, product_status: groups, flags } = vulnerability;
  const others = asList(ids).flatMap((item) => textAt(item, 'text') ?? []);
  const cves = (noteText(notes, ALIASES_NOTE) ?? '').split(' ').filter((text) => text !== '');
  const all = [...(typeof cve === 'string' ? [cve] : []), ...others, ...cves];
  requireIds(all, name);
  const [id = '', ...aliases] = all;
  const fixes = fixReader();
  for (const remediation of asList(vulnerability['remediations']))
    fixes.add(textAt(remediation, 'details') ?? '', texts(valueAt(remediation, 'product_ids')));
  const reasons = new Map(
    asList(flags).flatMap((flag) => {
      const reason = asJustification(textAt(flag, 'label'));
      return reason ? texts(valueAt(flag, 'product_ids')).map((product) => [product, reason] as const) : [];
    }),
  );
  const state = asIdState(noteText(notes, STATE_NOTE));
  return GROUPS.flatMap(([group, verdict]) => {
    const named = texts(valueAt(groups, group));
    // By product at once: a document from outside may name very many.
    const inside = Map.groupBy(
      named.flatMap((one) => places.get(one) ?? []),
      ({ product }) => product,
    );
    return named
      .filter((one) => !places.has(one))
      .map((product): Fact => {
        const justification = reasons.get(product);
        const fixedIn = fixes.fixedIn(product);
        return {
          ...{ ...rest, id, aliases, state, product, verdict },
          ...(justification && { justification }),
          ...(fixedIn !== undefined && { fixedIn }),
          components: (inside.get(product) ?? []).map(({ purl }) => fixes.component(product, purl)),
        };
      });
  });
}
