import { type Diagnostic, spanAt, type TextSource } from '@plinth/base';
import { type Document, isScalar, type Range, visit } from 'yaml';

/** What a schema cannot see because it gets values only: broken YAML, aliases, tags, keys that are no texts. */
export function textProblems(document: Document, source: TextSource): Diagnostic[] {
  const problem = (message: string, start = 0, end = start): Diagnostic => ({
    code: source.code,
    severity: 'error',
    message: `Cannot read ${source.file}: ${message}`,
    span: spanAt(source, start, end),
  });
  const [broken] = [...document.errors, ...document.warnings];
  if (broken) return [problem(broken.message.split('\n')[0] ?? 'invalid YAML', ...broken.pos)];
  const problems: Diagnostic[] = [];
  const tell = (message: string, range: Range | null | undefined) =>
    problems.push(problem(message, range?.[0], range?.[1]));
  visit(document, {
    // A small text must not grow into a large value.
    Alias: (_, node) => void tell('it uses an alias, expected each value to be written out', node.range),
    Pair: (_, { key }) => {
      if (!isScalar(key)) return void tell('a key that is no text, expected the name of a field', undefined);
      if (typeof key.value !== 'string' || key.value === '__proto__')
        tell(`unknown key "${key.value}"`, key.range);
      return undefined;
    },
    Node: (_, node) => {
      if (node.tag?.startsWith('!')) tell(`it uses the tag ${node.tag}, expected none`, node.range);
    },
  });
  return problems;
}
