import { readRepoFile, repoFiles } from '../repo-files.ts';
import { markdownTable, page } from './page.ts';

/** decisionsPage lists the decision records by their own titles. @throws Error when two share a number */
export function decisionsPage(): string {
  const records = repoFiles()
    .filter((path) => /^docs\/adr\/\d{4}-[^/]+\.md$/.test(path))
    .map((path) => ({ file: path.slice('docs/adr/'.length), title: titleOf(readRepoFile(path)) }));
  const numbers = records.map(({ file }) => file.slice(0, 4));
  const twice = numbers.find((number, i) => numbers.indexOf(number) !== i);
  if (twice !== undefined) throw new Error(`Two decision records have the number ${twice}, expected one`);
  return page(
    'Decisions',
    'the records in this folder',
    'One file a decision: context, decision, consequences, and how we would know it was wrong. A record is not changed when it is overturned: a new one says so.',
    markdownTable(
      ['No.', 'Decision'],
      records.map(({ file, title }) => [`[${file.slice(0, 4)}](${file})`, title]),
    ),
  );
}

/** The first heading, without its number. */
function titleOf(text: string): string {
  return (/^# (.*)$/m.exec(text)?.[1] ?? '').replace(/^(ADR )?\d+[.:]?\s*/, '');
}
