/** An element to write: name, attributes (undefined ones are left out), and text or elements inside. */
export interface XmlOut {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly inside?: string | readonly (XmlOut | undefined)[];
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** xml makes an element to write. */
export function xml(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  inside?: XmlOut['inside'],
): XmlOut {
  return { name, attributes, ...(inside !== undefined && { inside }) };
}

/** writeXml writes a document: one element a line, texts exactly as they are, with every special character escaped. */
export function writeXml(root: XmlOut): string {
  return `${DECLARATION}${writeElement(root, '')}`;
}

/** writeElement writes one element, and what is in it, with its indentation and a line end. */
export function writeElement({ name, attributes = {}, inside }: XmlOut, indent: string): string {
  const head = Object.entries(attributes)
    .map(([key, value]) => (value === undefined ? '' : ` ${key}="${escapeXml(value)}"`))
    .join('');
  if (inside === undefined || inside.length === 0) return `${indent}<${name}${head}/>\n`;
  if (typeof inside === 'string') return `${indent}<${name}${head}>${escapeXml(inside)}</${name}>\n`;
  const lines = inside.map((element) => (element ? writeElement(element, `${indent}  `) : '')).join('');
  return `${indent}<${name}${head}>\n${lines}${indent}</${name}>\n`;
}

/** escapeXml makes a text safe in an element and in a quoted attribute, in XML and in HTML. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"'\t\n\r]/g, (character) => ESCAPES[character] ?? '');
}

// Line ends and tabs as references: an attribute would turn them into spaces.
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
