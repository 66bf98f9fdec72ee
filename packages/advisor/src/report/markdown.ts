import { type Part, type Report, sectionsOfFile } from './document.ts';

/** reportMarkdown writes a report as GitHub-flavoured Markdown; diagrams as Mermaid, which is drawn there. */
export function reportMarkdown(report: Report, level = 1): string {
  const hashes = '#'.repeat(level);
  const parts = sectionsOfFile(report).flatMap((section) => [
    `${hashes}# ${section.heading}`,
    ...section.parts.map(part),
  ]);
  return `${[`${hashes} ${escapeText(report.title)}`, ...parts].join('\n\n')}\n`;
}

function part(one: Part): string {
  switch (one.kind) {
    case 'text':
      return escapeText(one.text);
    case 'list':
      return one.items.map((item) => `- ${escapeText(item)}`).join('\n');
    case 'commands':
      return fenced('sh', one.lines.join('\n'));
    case 'diagram':
      return fenced('mermaid', one.mermaid);
    case 'table':
      return one.rows.length === 0 ? (one.empty ?? 'None.') : table(one.header, one.rows);
  }
}

/** A fence longer than any in the text. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function cellText(text: string): string {
  return escapeText(text).replaceAll('|', '\\|').replace(/\r?\n/g, ' ');
}

/** Text from outside must not become markup. */
function escapeText(text: string): string {
  return text.replace(/[\\`*_[\]<>]/g, (char) => `\\${char}`);
}
