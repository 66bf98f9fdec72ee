import { asList, textAt, texts, valueAt } from '../../../documents/read-json.ts';
import { feedInvalid } from '../adapter.ts';
import type { NamedPackage } from './vendor-document.ts';

/** CSAF's own schema nests branches this deep at most (3.1.2.2). */
const BRANCHES_DEPTH = 30;
const PRODUCTS_LIMIT = 500_000;

/** The products that a document names. */
export interface CsafProducts {
  readonly known: ReadonlySet<string>;
  /** Those that are packages, by id. */
  readonly packages: ReadonlyMap<string, NamedPackage>;
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/**
 * csafProducts reads a product tree; pure. A package "as a component of" a product counts only where that product is
 * Debian itself: what a vendor says of the package in its own system is not true of the package elsewhere.
 * @throws advisory/feed-invalid when it nests too deep or names too much
 */
export function csafProducts(tree: unknown, document: string): CsafProducts {
  const known = new Set<string>();
  const packages = new Map<string, NamedPackage>();
  const debian = new Set<string>();
  const put = (product: unknown, range?: string): void => {
    const id = textAt(product, 'product_id');
    if (id === undefined) return;
    known.add(id);
    if (known.size > PRODUCTS_LIMIT)
      throw feedInvalid('csaf', `${document} names more than ${PRODUCTS_LIMIT} products`);
    const helper = valueAt(product, 'product_identification_helper');
    const purl = textAt(helper, 'purl');
    if (purl !== undefined) packages.set(id, { purl, ...(range === undefined ? {} : { range }) });
    if (/^cpe:(?:\/o|2\.3:o):debian:debian_linux(?::|$)/.test(textAt(helper, 'cpe') ?? '')) debian.add(id);
  };
  const walk = (branches: unknown, depth: number, range?: string): void => {
    if (depth > BRANCHES_DEPTH)
      throw feedInvalid('csaf', `${document} nests its products deeper than ${BRANCHES_DEPTH}`);
    for (const branch of asList(branches)) {
      const own = textAt(branch, 'category') === 'product_version_range' ? textAt(branch, 'name') : range;
      put(valueAt(branch, 'product'), own);
      walk(valueAt(branch, 'branches'), depth + 1, own);
    }
  };
  for (const product of asList(valueAt(tree, 'full_product_names'))) put(product);
  walk(valueAt(tree, 'branches'), 1);
  for (const relationship of asList(valueAt(tree, 'relationships'))) {
    const id = textAt(relationship, 'full_product_name', 'product_id');
    if (id === undefined) continue;
    known.add(id);
    packages.delete(id);
    const part = packages.get(textAt(relationship, 'product_reference') ?? '');
    if (part && debian.has(textAt(relationship, 'relates_to_product_reference') ?? ''))
      packages.set(id, part);
  }
  const groups = new Map(
    asList(valueAt(tree, 'product_groups')).map((group) => [
      textAt(group, 'group_id') ?? '',
      texts(valueAt(group, 'product_ids')),
    ]),
  );
  return { known, packages, groups };
}
