import { type Diagnostic, spanAt, type TextSource } from '@plinth/base';
import { type Document, isNode, isScalar, type Range, visit } from 'yaml';
import { LIMITS } from './limits.ts';
import { mayShowSecret } from './secret-lines.ts';

const UNREADABLE = 'the YAML of a line with a secret cannot be understood, expected the secret in quotes';

/** What a schema cannot see because it gets values only: broken YAML, aliases, tags, keys that are no texts. */
export function textProblems(document: Document, source: TextSource): Diagnostic[] {
  const problem = (message: string, start = 0, end = start): Diagnostic => ({
    code: source.code,
    severity: 'error',
    // What stands on such a line is not repeated: the words of the parser have pieces of the text in them.
    message: `Cannot read ${source.file}: ${mayShowSecret(source.text, start) ? UNREADABLE : message}`,
    span: spanAt(source, start, end),
  });
  const [broken] = [...document.errors, ...document.warnings];
  if (broken) return [problem(broken.message.split('\n')[0] ?? 'invalid YAML', ...broken.pos)];
  const problems: Diagnostic[] = [];
  const tell = (message: string, range: Range | null | undefined) => {
    problems.push(problem(message, range?.[0], range?.[1]));
    return problems.length < LIMITS.problems ? undefined : visit.BREAK;
  };
  visit(document, {
    // A small text must not grow into a large value.
    Alias: (_, node) => tell('it uses an alias, expected each value to be written out', node.range),
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        const said = keyProblem(key, seen);
        if (said !== undefined && tell(said, isNode(key) ? key.range : undefined)) return visit.BREAK;
      }
      return undefined;
    },
    Node: (_, node) =>
      node.tag?.startsWith('!') ? tell(`it uses the tag ${node.tag}, expected none`, node.range) : undefined,
  });
  return problems;
}

/** What is wrong with a key of a map, of whose other keys `seen` are known already. */
function keyProblem(key: unknown, seen: Set<unknown>): string | undefined {
  if (!isScalar(key) || typeof key.value !== 'string')
    return 'a key that is no text, expected the name of a field';
  // Most ways to copy an object lose this one, and what is lost has no effect.
  if (key.value === '__proto__') return 'unknown key "__proto__"';
  if (seen.has(key.value))
    return `the key "${key.value.slice(0, 100)}" a second time, expected keys to be unique`;
  seen.add(key.value);
  return undefined;
}
