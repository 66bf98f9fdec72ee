import { type Document, isAlias, visit } from 'yaml';

/**
 * aliasWithoutAnchor finds the first alias whose anchor does not stand before it. Items of a list are read one by one, so
 * that an anchor of one is unknown to another. Undefined: there is none, or the document is nested too deep to look.
 * @returns its name, and where it begins, in characters
 */
export function aliasWithoutAnchor(
  document: Document,
): { readonly name: string; readonly offset: number } | undefined {
  const anchors = new Set<string>();
  let loose: { readonly name: string; readonly offset: number } | undefined;
  try {
    visit(document, {
      Node(_, node) {
        if (isAlias(node)) {
          if (anchors.has(node.source)) return undefined;
          loose = { name: node.source, offset: node.range?.[0] ?? 0 };
          return visit.BREAK;
        }
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return undefined;
      },
    });
  } catch (reason) {
    if (!(reason instanceof RangeError)) throw reason;
  }
  return loose;
}
