import type { RecordProduct } from '../../model/index.ts';

/** What a product id says: "plinth_0.1.1_x86-64". */
export interface ProductName {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** Name, version (UAPI.10) and architecture; none of them can hold the separator. */
export const PRODUCT_ID = /^([a-z][a-z0-9-]{0,63})_([A-Za-z0-9.~^+-]{1,64})_([a-z0-9-]{1,16})$/;

/** parseProductId takes a product id apart; undefined when it is none. */
export function parseProductId(id: string): ProductName | undefined {
  const [, name, version, architecture] = PRODUCT_ID.exec(id) ?? [];
  if (name === undefined || version === undefined || architecture === undefined) return undefined;
  return { name, version, architecture };
}

/** productPurl names a release as a package URL: "pkg:generic/plinth@0.1.1?arch=x86-64". */
export function productPurl(id: string): string {
  const parts = parseProductId(id);
  if (!parts) return `pkg:generic/${encodeURIComponent(id)}`;
  return `pkg:generic/${parts.name}@${encodeURIComponent(parts.version)}?arch=${parts.architecture}`;
}

/** productIdOfPurl is the way back; undefined for a package URL of anything else. */
export function productIdOfPurl(purl: string): string | undefined {
  const [, name, version, architecture] =
    /^pkg:generic\/([^/@?]+)@([^/@?]+)\?arch=([^/@?&]+)$/.exec(purl) ?? [];
  if (name === undefined || version === undefined || architecture === undefined) return undefined;
  try {
    const id = `${name}_${decodeURIComponent(version)}_${architecture}`;
    return PRODUCT_ID.test(id) ? id : undefined;
  } catch {
    // Escapes that are none.
    return undefined;
  }
}

/** Id of a component inside a product, in formats that know flat products only; a product id has no "/". */
export function componentId(productId: string, purl: string): string {
  return `${productId}/${purl}`;
}

/** splitComponentId is the way back; without `purl` the id is that of a whole product. */
export function splitComponentId(id: string): { readonly product: string; readonly purl?: string } {
  const cut = id.indexOf('/');
  return cut < 0 ? { product: id } : { product: id.slice(0, cut), purl: id.slice(cut + 1) };
}

const CPE_ARCHITECTURES: Readonly<Record<string, string>> = { 'x86-64': 'x64', arm64: 'arm64' };

/** productCpe names a release in the form of CPE 2.3 (a formatted string of NISTIR 7695, 6.2). */
export function productCpe(product: Pick<RecordProduct, 'id' | 'version' | 'architecture'>): string {
  const name = quoteCpe(parseProductId(product.id)?.name ?? product.id);
  const hardware = CPE_ARCHITECTURES[product.architecture] ?? quoteCpe(product.architecture);
  return `cpe:2.3:o:plinth:${name}:${quoteCpe(product.version)}:*:*:*:*:*:${hardware}:*`;
}

/** CPE quotes whatever is not a letter, digit, "_", "." or "-" with a backslash. */
function quoteCpe(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9_.-]/g, (character) => `\\${character}`);
}
