import type { Part, Report } from '@plinth/advisor';
import { type Block, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { wrapText } from '../output/wrap-text.ts';
import { commandLines } from './command-lines.ts';

const WIDTH_CHARS = 80;

/** reportBlocks shows a report on a terminal. */
export function reportBlocks({ title, sections }: Report, style: Style): readonly Block[] {
  return [
    plainText(wrapText(printable(title), WIDTH_CHARS).map(style.strong).join('\n')),
    ...sections
      .filter(({ onlyOn }) => onlyOn !== 'files')
      .flatMap(({ heading, parts }) => [
        plainText(style.strong(printable(heading))),
        ...parts.map((part) => partBlock(part)),
      ]),
  ];
}

function partBlock(part: Part): Block {
  switch (part.kind) {
    case 'text':
      return plainText(wrapText(printable(part.text), WIDTH_CHARS).join('\n'));
    case 'list':
      return plainText(part.items.map((item) => hanging('- ', printable(item))).join('\n'));
    case 'commands':
      return plainText(part.lines.flatMap((line) => commandLines(printable(line), WIDTH_CHARS)).join('\n'));
    case 'diagram':
      return plainText(part.mermaid);
    case 'table':
      return table(
        part.header.map((name, i) => ({
          header: name.toUpperCase().replaceAll(' ', '-'),
          value: (row: readonly string[]) => row[i] ?? '',
        })),
        part.rows,
        part.empty ?? 'None.',
      );
  }
}

function hanging(mark: string, text: string): string {
  return wrapText(text, WIDTH_CHARS - mark.length)
    .map((line, i) => (i === 0 ? mark : ' '.repeat(mark.length)) + line)
    .join('\n');
}
