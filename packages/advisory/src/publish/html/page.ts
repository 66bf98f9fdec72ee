import { writeElement, type XmlOut, xml } from '../xml/write-xml.ts';

// Pages are HTML that is also well-formed XML: the one writer escapes everything, and a page can be read back.

const DOCTYPE = '<!doctype html>\n';

/** What pages look like; a file of its own, so that no page needs inline styles. */
export const STYLE = `:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #8886; }
td, p { overflow-wrap: anywhere; }
@media (min-width: 45rem) { .short { white-space: nowrap; } }
.pre { white-space: pre-wrap; }
.open, .unknown { font-weight: bold; }
`;

/** writePage writes a page. @param root way to the top of the tree, "" or "../" */
export function writePage(title: string, root: string, body: readonly (XmlOut | undefined)[]): string {
  const page = xml('html', { lang: 'en' }, [
    xml('head', {}, [
      xml('meta', { charset: 'utf-8' }),
      xml('meta', {
        'http-equiv': 'Content-Security-Policy',
        content: "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
      }),
      xml('meta', { name: 'viewport', content: 'width=device-width' }),
      xml('meta', { name: 'referrer', content: 'no-referrer' }),
      xml('title', {}, visible(title)),
      xml('link', { rel: 'stylesheet', href: `${root}style.css` }),
    ]),
    xml('body', {}, [xml('h1', {}, title), ...body].map(allVisible)),
  ]);
  return `${DOCTYPE}${writeElement(page, '')}`;
}

/** Marks that turn the direction of what follows: with them a text can show other words than it holds (UTS #55). */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function visible(text: string): string {
  return text.replaceAll(TURNS, '\ufffd');
}

/** All that is shown, in its true order; attributes are for programs and stay as they are. */
function allVisible(element: XmlOut | undefined): XmlOut | undefined {
  if (element === undefined) return undefined;
  const { inside } = element;
  if (inside === undefined) return element;
  return { ...element, inside: typeof inside === 'string' ? visible(inside) : inside.map(allVisible) };
}

/** pageXml is a page as XML: without the one document type it may have. */
export function pageXml(page: string): string {
  return page.startsWith(DOCTYPE) ? page.slice(DOCTYPE.length) : page;
}

/** A paragraph; line ends in it are kept by the style. */
export function paragraph(text: string): XmlOut {
  return xml('p', { class: 'pre' }, text);
}

/** A table with a head. */
export function htmlTable(head: readonly string[], rows: readonly XmlOut[]): XmlOut {
  return xml('table', {}, [
    xml('thead', {}, [
      xml(
        'tr',
        {},
        head.map((title) => xml('th', { scope: 'col' }, title)),
      ),
    ]),
    xml(
      'tbody',
      {},
      rows.length > 0 ? rows : [xml('tr', {}, [xml('td', { colspan: String(head.length) }, 'None.')])],
    ),
  ]);
}

/** A cell; empty ones need an end tag of their own in HTML. */
export function cell(
  inside: XmlOut['inside'],
  attributes: Readonly<Record<string, string | undefined>> = {},
): XmlOut {
  return xml('td', attributes, inside === undefined || inside.length === 0 ? '–' : inside);
}
