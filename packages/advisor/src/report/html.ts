import { type Part, type Report, sectionsOfFile } from './document.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --faint: #777; --code: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; min-width: 3rem; }
pre { background: var(--code); padding: .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; }
`;

/** reportHtml writes a report as one page that loads nothing and runs nothing. */
export function reportHtml(report: Report): string {
  const body = sectionsOfFile(report).map(
    ({ heading, parts }) =>
      `<section>\n<h2>${escapeMarkup(heading)}</h2>\n${parts.map(part).join('\n')}\n</section>`,
  );
  return htmlPage(report.title, body);
}

/** htmlPage is a page around parts that are HTML already. */
function htmlPage(title: string, parts: readonly string[]): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeMarkup(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeMarkup(title)}</h1>`,
    ...parts,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function part(one: Part): string {
  switch (one.kind) {
    case 'text':
      return `<p>${escapeMarkup(one.text)}</p>`;
    case 'list':
      return `<ul>\n${one.items.map((item) => `<li>${escapeMarkup(item)}</li>`).join('\n')}\n</ul>`;
    case 'commands':
      return `<pre><code>${escapeMarkup(one.lines.join('\n'))}</code></pre>`;
    case 'diagram':
      return one.svg;
    case 'table':
      return one.rows.length === 0
        ? `<p>${escapeMarkup(one.empty ?? 'None.')}</p>`
        : htmlTable(one.header, one.rows);
  }
}

/** htmlTable writes rows of text below a header; its first column names the row. */
export function htmlTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = header.map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`).join('');
  const body = rows.map(([name = '', ...cells]) => {
    const rest = cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('');
    return `<tr><th scope="row">${escapeMarkup(name)}</th>${rest}</tr>`;
  });
  return `<div class="scroll"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table></div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** escapeMarkup makes any text safe inside an element or a quoted attribute, in HTML, SVG and XML. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
