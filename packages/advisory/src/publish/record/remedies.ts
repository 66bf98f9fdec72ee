import type { AdvisoryRecord, RecordStatus, Remediation } from '../../model/index.ts';
import type { FactComponent } from './facts.ts';
import { componentId } from './product-id.ts';

/**
 * What formats say in words about a fix, in words that can be read back. Names, versions and ids hold no spaces, so
 * a full stop at the end of the line is never part of them.
 */
export interface Remedy {
  readonly kind: Remediation['kind'];
  readonly text: string;
  /** Ids of products, or of components in products. */
  readonly products: readonly string[];
  readonly restart: Remediation['restart'];
  readonly url?: string;
  readonly date?: string;
}

/** fixVersionText: "Fixed in openssl 3.5.7-1~deb13u3." */
export function fixVersionText(name: string, version: string): string {
  return `Fixed in ${name} ${version}.`;
}

/** readFixVersion reads it back. */
export function readFixVersion(text: string): string | undefined {
  return /^Fixed in \S+ (\S+)\.$/.exec(text)?.[1];
}

/** fixProductText: "Update to plinth_0.1.2_x86-64." */
export function fixProductText(productId: string): string {
  return `Update to ${productId}.`;
}

/** readFixProduct reads it back. */
export function readFixProduct(text: string): string | undefined {
  return /^Update to (\S+)\.$/.exec(text)?.[1];
}

/**
 * remediesOf gives all that can be done about a record: first what its statuses know, then its own remediations. A product that
 * is open or unknown and has neither is told that there is nothing yet: silence is not an answer in CSAF and VEX.
 */
export function remediesOf(record: AdvisoryRecord): readonly Remedy[] {
  const restart = record.remediations.find(({ kind }) => kind === 'fix')?.restart ?? 'none';
  const known = record.statuses.flatMap((status) => statusRemedies(status, restart));
  const own = record.remediations.map((remedy): Remedy => ({ ...remedy, text: unlikeFix(remedy.text) }));
  const said = new Set([...known, ...own].flatMap(({ products }) => products));
  const silent = record.statuses.flatMap(({ product, verdict, components }) =>
    verdict === 'open' || verdict === 'unknown'
      ? [product, ...components.map(({ purl }) => componentId(product, purl))].filter((id) => !said.has(id))
      : [],
  );
  const nothing: Remedy = {
    kind: 'none-available',
    text: 'No fix is published yet.',
    products: silent,
    restart: 'none',
  };
  return [
    ...known,
    ...own.filter(({ products }) => products.length > 0),
    ...(silent.length > 0 ? [nothing] : []),
  ];
}

/** What an author writes must not read back as what a status says. */
function unlikeFix(text: string): string {
  const isAlike = readFixProduct(text) !== undefined || readFixVersion(text) !== undefined;
  return isAlike ? `Note: ${text}` : text;
}

function statusRemedies(status: RecordStatus, restart: Remedy['restart']): readonly Remedy[] {
  const { product, components, fixedInProduct } = status;
  const fixed = components.flatMap(({ purl, name, fixVersion }): readonly Remedy[] =>
    fixVersion === undefined
      ? []
      : [
          {
            kind: 'fix',
            text: fixVersionText(name, fixVersion),
            products: [componentId(product, purl)],
            restart,
          },
        ],
  );
  if (fixedInProduct === undefined) return fixed;
  return [{ kind: 'fix', text: fixProductText(fixedInProduct), products: [product], restart }, ...fixed];
}

/** FixReader gathers what remedies say about fixes while a document is read. */
export interface FixReader {
  add(text: string, products: readonly string[]): void;
  fixedIn(product: string): string | undefined;
  component(product: string, purl: string): FactComponent;
}

/** fixReader makes an empty one. */
export function fixReader(): FixReader {
  const products = new Map<string, string>();
  const versions = new Map<string, string>();
  return {
    add(text, ids) {
      const product = readFixProduct(text);
      const version = readFixVersion(text);
      for (const id of ids) {
        if (product !== undefined && !products.has(id)) products.set(id, product);
        if (version !== undefined && !versions.has(id)) versions.set(id, version);
      }
    },
    fixedIn: (product) => products.get(product),
    component(product, purl) {
      const fixVersion = versions.get(componentId(product, purl));
      return { purl, ...(fixVersion !== undefined && { fixVersion }) };
    },
  };
}
