import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { API_VERSION, allKinds } from '../machine-config.ts';
import { ACCESS, documents, MACHINE } from '../testing/configs.ts';
import { writeConfig } from '../write-config.ts';
import { LIMITS } from './limits.ts';
import { parseConfig } from './parse-config.ts';

/** Far above what any of these takes here, far below what a boot would notice on a slow machine. */
const LIMIT_MS = 60_000;
const good = `${documents(MACHINE, ACCESS)}\n`;
const head = `---\napiVersion: ${API_VERSION}\n`;
const full = (text: string) => text.repeat(Math.floor(LIMITS.bytes / text.length));
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
const nested = (levels: number) => Array.from({ length: levels }, (_, i) => `${' '.repeat(i)}a:`).join('\n');

/** Texts that would take time, memory or the stack; with the code of what is to be said. */
const hostile: readonly (readonly [what: string, text: string | Buffer, code: string])[] = [
  ['2 MB', 'a: b\n'.repeat(400_000), 'config/too-large'],
  ['10,000 documents', '---\n'.repeat(10_000), 'config/too-large'],
  ['10,000 documents that end', 'a\n...\n'.repeat(10_000), 'config/too-large'],
  ['as many documents as fit', '---\na: 1\n'.repeat(LIMITS.documents), 'config/invalid'],
  ['deep brackets', '['.repeat(20_000), 'config/too-large'],
  ['brackets up to the limit', `${'['.repeat(LIMITS.depth)}`, 'config/invalid'],
  ['a map as deep as its indents', nested(300), 'config/too-large'],
  [
    'as many keys as fit',
    Array.from({ length: 30_000 }, (_, i) => `k${i}:`)
      .join('\n')
      .slice(0, LIMITS.bytes),
    'config/too-large',
  ],
  [
    'unknown keys of a known kind',
    `${good}${head}kind: Network\n${Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')}`.slice(
      0,
      LIMITS.bytes,
    ),
    'config/too-large',
  ],
  [
    'as many wrong entries as fit',
    `${good}${head}kind: Network\ninterfaces:\n${'- {}\n'.repeat(40_000)}`,
    'config/too-large',
  ],
  ['one key a hundred thousand times', 'a: 1\n'.repeat(50_000), 'config/too-large'],
  [
    'aliases that multiply',
    `${good}${head}kind: Network\na: &a [x,x]\n${Array.from({ length: 40 }, (_, i) => `b${i}: &b${i} [*a,*a]`).join('\n')}`,
    'config/invalid',
  ],
  ['a hundred thousand aliases', `a: &a 1\nb:\n${'- *a\n'.repeat(50_000)}`, 'config/too-large'],
  ['anchors without end', full('&a '), 'config/too-large'],
  ['a merge key', `${good}${head}kind: Network\n<<: {interfaces: []}\n`, 'config/invalid'],
  ['a long number', `${good}${head}kind: Network\nvlans: [{id: ${'9'.repeat(100_000)}}]\n`, 'config/invalid'],
  ['a long line', full('x'), 'config/invalid'],
  ['white space only', full(' '), 'config/too-large'],
  ['open quotes', `a: "${full('x ').slice(10)}`, 'config/invalid'],
  ['a hundred thousand colons', full(': '), 'config/too-large'],
  ['question marks', full('?\n'), 'config/too-large'],
  ['NUL', `${good}\0`, 'config/invalid'],
  ['bad UTF-8', Buffer.concat([Buffer.from(good), Buffer.of(0xc3, 0x28)]), 'config/invalid'],
  ['UTF-16', Buffer.from(good, 'utf16le'), 'config/invalid'],
  ['a tag of a type', `${good}${head}kind: Network\ninterfaces: !!set {}\n`, 'config/invalid'],
  ["a tag of one's own", `${head}kind: !mine Machine\nname: n\n`, 'config/invalid'],
  ['a key that is a list', `${head}kind: Network\n? [a]\n: 1\n`, 'config/invalid'],
  ['__proto__', `${head}kind: Machine\nname: n\n__proto__: {name: m}\n`, 'config/invalid'],
  ['__proto__ within', `${good}${head}kind: Network\ndns:\n  __proto__: {servers: []}\n`, 'config/invalid'],
  ['constructor', `${head}kind: Machine\nname: n\nconstructor: {}\n`, 'config/invalid'],
  ['a kind that objects have', `${head}kind: toString\n`, 'config/invalid'],
  // Just below the limit of tokens, so that the parser and the schema meet them.
  ['4,000 keys', lines(4_000, (i) => `k${i}: 1`), 'config/invalid'],
  ['4,000 unknown keys', `${good}${head}kind: Network\n${lines(4_000, (i) => `k${i}: 1`)}`, 'config/invalid'],
  [
    '4,000 wrong entries',
    `${good}${head}kind: Network\ninterfaces:\n${'- {}\n'.repeat(4_000)}`,
    'config/invalid',
  ],
  ['one key 4,000 times', `${head}${'a: 1\n'.repeat(4_000)}`, 'config/invalid'],
  ['4,000 aliases', `a: &a 1\nb:\n${'- *a\n'.repeat(4_000)}`, 'config/invalid'],
  ['12,000 anchors', '&a '.repeat(12_000), 'config/invalid'],
  ['10,000 question marks', '?\n'.repeat(10_000), 'config/invalid'],
  ['10,000 tags', '!a '.repeat(10_000), 'config/invalid'],
];

for (const [what, text, code] of hostile) {
  test(`parseConfig refuses ${what}, at once`, () => {
    const start = performance.now();
    const result = parseConfig(typeof text === 'string' ? Buffer.from(text) : text, 'config.yaml');
    const tookMs = performance.now() - start;
    assert.ok(!result.ok);
    assert.equal(result.diagnostics[0]?.code, code, result.diagnostics[0]?.message ?? '');
    assert.ok(tookMs < LIMIT_MS, `${tookMs} ms`);
    assert.ok(result.diagnostics.length <= 100, `${result.diagnostics.length} problems`);
    for (const { message } of result.diagnostics) assert.ok(message.length < 1000, message.slice(0, 200));
  });
}

test('parseConfig never throws, and what it accepts survives writing', () => {
  const whole = `${allKinds.map(({ example }) => example).join('---\n')}`;
  const written = whole.split('\n');
  const edit = fc.tuple(
    fc.nat(written.length - 1),
    fc.constantFrom(
      '',
      '---',
      '- *a',
      '{[',
      '? ',
      '!!binary x',
      '\u2028',
      '...',
      'kind: Network',
      '__proto__: 1',
      '  - a',
      '\ta',
    ),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const changed = [...written];
      for (const [at, line] of edits) changed[at] = line;
      const result = parseConfig(Buffer.from(changed.join('\n')), 'config.yaml');
      if (!result.ok) {
        for (const { message, code } of result.diagnostics) assert.ok(message && code.startsWith('config/'));
        return;
      }
      const again = parseConfig(Buffer.from(writeConfig(result.value)), 'again.yaml');
      assert.deepEqual(again, result);
    }),
    { numRuns: 150 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) =>
      assert.equal(parseConfig(bytes, 'x').ok, false),
    ),
  );
});
