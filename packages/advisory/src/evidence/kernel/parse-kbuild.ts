import { ALWAYS, type BuildCondition, both, either, UNREAD } from './condition.ts';

/** One word of a list in a Makefile, and under which condition it is in the list. */
export interface KbuildWord {
  readonly word: string;
  readonly condition: BuildCondition;
}

/** Lists of a Makefile by name: "obj" for all of obj-y, obj-m and obj-$(CONFIG_X), "foo" for the parts of foo.o. */
export type KbuildLists = ReadonlyMap<string, readonly KbuildWord[]>;

interface Frame {
  readonly condition: BuildCondition;
  readonly isElse: boolean;
}

interface Reader {
  readonly lists: Map<string, KbuildWord[]>;
  readonly variables: Map<string, KbuildWord[]>;
  readonly include: (path: string) => string | undefined;
  words: number;
}

const WORD_LIMIT = 200_000;
const DEPTH_LIMIT = 8;
/** Lists that name what is linked into the kernel, its modules or its libraries. */
const TARGETS = new Set([
  'obj',
  'lib',
  'core',
  'libs',
  'drivers',
  'net',
  'virt',
  'subdir',
  'extra',
  'always',
]);

/**
 * parseKbuild reads a kernel Makefile as far as it says which objects are built under which configuration symbols
 * (Documentation/kbuild/makefiles.rst). What it cannot read makes the condition "unread", never false.
 * @param include gives the text of an included Makefile, or undefined
 */
export function parseKbuild(
  text: string,
  include: (path: string) => string | undefined = () => undefined,
  given: Readonly<Record<string, string>> = {},
): KbuildLists {
  const variables = new Map(
    Object.entries(given).map(([name, value]) => [
      name,
      value.split(' ').map((word) => ({ word, condition: ALWAYS })),
    ]),
  );
  const reader: Reader = { lists: new Map(), variables, include, words: 0 };
  readText(reader, text, 0);
  return reader.lists;
}

function readText(reader: Reader, text: string, depth: number): void {
  const frames: Frame[] = [];
  for (const line of logicalLines(text)) {
    if (line.startsWith('\t')) continue;
    const directive = /^\s*(ifdef|ifndef|ifeq|ifneq|else|endif|-?s?include)\b\s*(.*)$/.exec(line);
    const [, word, rest = ''] = directive ?? [];
    if (word === 'endif') frames.pop();
    else if (word === 'else') {
      const frame = frames.pop();
      // The other branch: nothing of the condition is known to be off there.
      const nested = /^(ifdef|ifndef|ifeq|ifneq)\b\s*(.*)$/.exec(rest);
      const own = nested ? conditionOf(nested[1] ?? '', nested[2] ?? '') : UNREAD;
      frames.push({ condition: frame ? own : UNREAD, isElse: true });
    } else if (word?.endsWith('include') === true) {
      if (depth >= DEPTH_LIMIT) continue;
      for (const { word: path } of expand(reader, rest, ALWAYS, 0)) {
        const included = reader.include(path);
        if (included !== undefined) readText(reader, included, depth + 1);
      }
    } else if (word !== undefined) frames.push({ condition: conditionOf(word, rest), isElse: false });
    else
      assign(
        reader,
        line,
        frames.reduce((sum, { condition }) => both(sum, condition), ALWAYS),
      );
  }
}

/** The condition of "ifdef CONFIG_X" and its kin; negations are never taken as off. */
function conditionOf(word: string, rest: string): BuildCondition {
  if (word === 'ifdef') {
    const symbol = /^CONFIG_(\w+)\s*$/.exec(rest)?.[1];
    return symbol === undefined ? UNREAD : [[symbol]];
  }
  const isEmptyTest = /^\s*\(\s*(.*?)\s*,\s*\)\s*$/.exec(rest)?.[1];
  if (word === 'ifneq' && isEmptyTest !== undefined) {
    const symbols = symbolsOnly(isEmptyTest);
    return symbols ? symbols.map((symbol) => [symbol]) : UNREAD;
  }
  const equal = /^\s*\(\s*(.*?)\s*,\s*(?:y|m|yy)\s*\)\s*$/.exec(rest)?.[1];
  if (word === 'ifeq' && equal !== undefined) {
    const symbols = symbolsOnly(equal);
    return symbols?.length === 1 ? [symbols] : UNREAD;
  }
  return UNREAD;
}

/** "$(CONFIG_A)$(CONFIG_B)" → A, B; undefined when there is anything else. */
function symbolsOnly(text: string): string[] | undefined {
  const plain = text.replace(/\$\(subst [my],[my],(\$\(CONFIG_\w+\))\)/g, '$1');
  if (!/^(?:\s*\$\(CONFIG_\w+\)\s*)+$/.test(plain)) return undefined;
  return [...plain.matchAll(/CONFIG_(\w+)/g)].map((match) => match[1] ?? '?');
}

function assign(reader: Reader, line: string, frame: BuildCondition): void {
  const match =
    /^\s*(?:export\s+|override\s+)?((?:[\w./-]|\$\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\))+?)\s*(\+=|::?=|:=|\?=|=)\s*(.*)$/.exec(
      line,
    );
  if (!match) return;
  const [, name = '', , value = ''] = match;
  const { base, suffix } = splitName(name);
  if (base === undefined) {
    variable(reader, name).push(...expand(reader, value, frame, 0));
    return;
  }
  const condition = both(frame, suffix);
  const words = expand(reader, value, condition, 0);
  list(reader, base).push(...words);
  // "kvm-y" may be named again as $(kvm-y).
  variable(reader, name).push(...words);
}

/** "obj-$(CONFIG_X)" → obj under X; "foo-objs" and "foo-y" → foo always; other names are plain variables. */
function splitName(name: string): { readonly base: string | undefined; readonly suffix: BuildCondition } {
  const fixed = /^([\w.+/-]+?)-(?:y|m|objs)$/.exec(name);
  if (fixed) return { base: fixed[1], suffix: ALWAYS };
  const symbolic = /^([\w.+/-]+?)-(\$\(.*\))$/.exec(name);
  if (!symbolic) return { base: undefined, suffix: ALWAYS };
  const expression = (symbolic[2] ?? '').replace(/:m=y\)$/, ')');
  const condition =
    /^\$\(if (\$\(CONFIG_\w+\)(?:\$\(CONFIG_\w+\))*),\s*[ym]\)$/.exec(expression)?.[1] ?? expression;
  const symbols = symbolsOnly(condition);
  if (!symbols) return { base: symbolic[1], suffix: UNREAD };
  // "$(CONFIG_A)$(CONFIG_B)" in an "if" is on when one is.
  return { base: symbolic[1], suffix: symbols.map((symbol) => [symbol]) };
}

function list(reader: Reader, name: string): KbuildWord[] {
  const known = reader.lists.get(name) ?? [];
  reader.lists.set(name, known);
  return known;
}

function variable(reader: Reader, name: string): KbuildWord[] {
  const known = reader.variables.get(name) ?? [];
  reader.variables.set(name, known);
  return known;
}

/** Words of a value with variables, addprefix and addsuffix put in; a function that is not read gives the word "?". */
function expand(reader: Reader, value: string, condition: BuildCondition, depth: number): KbuildWord[] {
  const words: KbuildWord[] = [];
  for (const token of tokens(value)) {
    if (++reader.words > WORD_LIMIT) break;
    for (const { word, condition: own } of expandToken(reader, token, depth)) {
      words.push({ word, condition: both(condition, own) });
    }
  }
  return words;
}

function expandToken(reader: Reader, token: string, depth: number): readonly KbuildWord[] {
  const at = token.indexOf('$(');
  if (at < 0) return [{ word: token, condition: ALWAYS }];
  const end = closing(token, at + 1);
  if (end < 0 || depth > DEPTH_LIMIT) return [{ word: '?', condition: ALWAYS }];
  const [head, inner, tail] = [token.slice(0, at), token.slice(at + 2, end), token.slice(end + 1)];
  const middle = call(reader, inner, depth + 1);
  const rest = tail === '' ? [{ word: '', condition: ALWAYS }] : expandToken(reader, tail, depth + 1);
  return middle.flatMap((first) =>
    rest.map((second) => ({
      word: `${head}${first.word}${second.word}`,
      condition: both(first.condition, second.condition),
    })),
  );
}

function call(reader: Reader, inner: string, depth: number): readonly KbuildWord[] {
  const affix = /^(addprefix|addsuffix)\s+([^,]*),(.*)$/s.exec(inner);
  if (affix) {
    const [, kind, fix = '', values = ''] = affix;
    const prefixes = expand(reader, fix, ALWAYS, depth);
    const all = expand(reader, values, ALWAYS, depth);
    return prefixes.flatMap((prefix) =>
      all.map(({ word, condition }) => ({
        word: kind === 'addprefix' ? `${prefix.word}${word}` : `${word}${prefix.word}`,
        condition: both(condition, prefix.condition),
      })),
    );
  }
  const known = /^[\w.$()-]+$/.test(inner) ? reader.variables.get(inner) : undefined;
  if (known) return known;
  return [{ word: '?', condition: ALWAYS }];
}

function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at;
  }
  return -1;
}

/** Words at top level: blanks inside $(…) do not divide. */
function* tokens(value: string): Generator<string> {
  let depth = 0;
  let word = '';
  for (const character of value) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (depth <= 0 && /\s/.test(character)) {
      if (word !== '') yield word;
      word = '';
    } else word += character;
  }
  if (word !== '') yield word;
}

function* logicalLines(text: string): Generator<string> {
  let held = '';
  for (const raw of text.split('\n')) {
    const line = raw.replace(/(^|[^\\])#.*$/, '$1');
    if (line.endsWith('\\')) held += `${line.slice(0, -1)} `;
    else {
      yield held + line;
      held = '';
    }
  }
  if (held !== '') yield held;
}

/** isTargetList tells whether a list names what is built, rather than the parts of one object. */
export function isTargetList(name: string): boolean {
  return TARGETS.has(name);
}

/** mergedWords gives each word of the lists once, with the condition that one of its namings holds. */
export function mergedWords(words: readonly KbuildWord[]): ReadonlyMap<string, BuildCondition> {
  const merged = new Map<string, BuildCondition>();
  for (const { word, condition } of words) {
    const known = merged.get(word);
    merged.set(word, known === undefined ? condition : either(known, condition));
  }
  return merged;
}
