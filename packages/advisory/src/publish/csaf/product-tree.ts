import type { AdvisoryRecord, RecordComponent, RecordProduct } from '../../model/index.ts';
import { componentId, productCpe, productPurl } from '../record/product-id.ts';

interface Branch {
  readonly category: string;
  readonly name: string;
  readonly branches?: readonly Branch[];
  readonly product?: FullProductName;
}

interface FullProductName {
  readonly product_id: string;
  readonly name: string;
  readonly product_identification_helper: { readonly purl: string; readonly cpe?: string };
}

const VENDORS: Readonly<Record<RecordComponent['ecosystem'], string>> = {
  debian: 'Debian',
  go: 'Go',
  npm: 'npm',
};

/**
 * productTree lays out releases of Plinth, the components they have, and which component is in which release: `product_tree` of CSAF
 * 2.0. Branches are in one order, and no name is there twice.
 */
export function productTree(record: AdvisoryRecord): unknown {
  const components = new Map<string, RecordComponent>();
  for (const status of record.statuses)
    for (const component of status.components) components.set(component.purl, component);
  const releases = record.products.map((product): readonly Branch[] => [
    { category: 'vendor', name: 'Plinth' },
    { category: 'product_name', name: product.name },
    { category: 'product_version', name: product.version },
    { category: 'architecture', name: product.architecture, product: releaseName(product) },
  ]);
  const parts = [...components.values()].map((component): readonly Branch[] => [
    { category: 'vendor', name: VENDORS[component.ecosystem] },
    { category: 'product_name', name: component.name },
    { category: 'product_version', name: component.version, product: componentName(component) },
  ]);
  const relationships = record.statuses.flatMap((status) =>
    status.components.map((component) => ({
      category: 'default_component_of',
      product_reference: component.purl,
      relates_to_product_reference: status.product,
      full_product_name: {
        product_id: componentId(status.product, component.purl),
        name: `${component.name} ${component.version} in ${status.product}`,
        product_identification_helper: { purl: component.purl },
      },
    })),
  );
  return {
    branches: merge([...releases, ...parts]),
    ...(relationships.length > 0 && { relationships }),
  };
}

function releaseName(product: RecordProduct): FullProductName {
  return {
    product_id: product.id,
    name: `${product.name} ${product.version} (${product.architecture})`,
    product_identification_helper: { purl: productPurl(product.id), cpe: productCpe(product) },
  };
}

function componentName({ purl, name, version }: RecordComponent): FullProductName {
  return { product_id: purl, name: `${name} ${version}`, product_identification_helper: { purl } };
}

/** merge joins paths of branches into trees: what they begin with in common is there once. */
function merge(paths: readonly (readonly Branch[])[]): readonly Branch[] {
  const groups = new Map<string, { readonly head: Branch; readonly rests: (readonly Branch[])[] }>();
  const leaves: Branch[] = [];
  for (const [head, ...rest] of paths) {
    if (!head) continue;
    if (rest.length === 0) {
      leaves.push(head);
      continue;
    }
    const key = `${head.category}\n${head.name}`;
    const group = groups.get(key) ?? { head, rests: [] };
    group.rests.push(rest);
    groups.set(key, group);
  }
  return [...leaves, ...[...groups.values()].map(({ head, rests }) => ({ ...head, branches: merge(rests) }))];
}
