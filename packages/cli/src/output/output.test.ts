import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { facts, nextCommands, renderBlocks, table } from './blocks.ts';
import { errorData, renderError } from './error-report.ts';
import { formatResult } from './print-result.ts';
import { createStyle, wantsColour } from './style.ts';
import { type Column, renderTable } from './table.ts';
import { formatBytes, formatDuration, shortenHash } from './units.ts';

interface Vm {
  readonly name: string;
  readonly state: string;
  readonly sizeBytes: number;
  readonly note: string;
}
const plain = createStyle(false);
const columns: readonly Column<Vm>[] = [
  { header: 'NAME', value: (vm) => vm.name },
  { header: 'SIZE', value: (vm) => formatBytes(vm.sizeBytes), align: 'right' },
  { header: 'NOTE', value: (vm) => vm.note },
  { header: 'STATE', value: (vm) => vm.state, wide: true },
];
const rows: readonly Vm[] = [
  { name: 'node-1', state: 'running', sizeBytes: 123_456_789, note: '' },
  { name: 'a', state: 'stopped', sizeBytes: 12, note: 'evil\u001b[31m\nrow' },
];

test('renderTable aligns columns, spells absence and disarms control characters', () => {
  const text = renderTable(columns, rows, { wide: false, style: plain });
  assert.equal(text, 'NAME       SIZE  NOTE\nnode-1  118 MiB  <none>\na          12 B  evil row\n');
});

test('renderTable adds wide columns only with -o wide', () => {
  assert.match(renderTable(columns, rows, { wide: true, style: plain }), /STATE/);
});

test('renderTable never exceeds the terminal while its columns can be cut', () => {
  const cells = fc.record({
    name: fc.string(),
    state: fc.string(),
    sizeBytes: fc.nat(),
    note: fc.string({ maxLength: 200 }),
  });
  fc.assert(
    fc.property(fc.array(cells, { minLength: 1 }), fc.integer({ min: 60, max: 120 }), (many, widthChars) => {
      const lines = renderTable(columns, many, { wide: true, style: plain, widthChars })
        .trimEnd()
        .split('\n');
      assert.equal(lines.length, many.length + 1);
      for (const line of lines) assert.ok([...line].length <= widthChars, line);
    }),
  );
});

test('renderBlocks says what an empty list means and ends with the next commands', () => {
  const blocks = [
    table(columns, [], 'No machine is defined.'),
    facts([
      ['root hash', shortenHash('ab'.repeat(32))],
      ['size', '1 B'],
    ]),
    nextCommands([['plinth up', 'start one']]),
  ];
  assert.equal(
    renderBlocks(blocks, { wide: false, style: plain }),
    'No machine is defined.\n\nroot hash  abababab…abababab\nsize       1 B\n\nNext:\n  plinth up  start one\n',
  );
});

test('formatResult writes the same data as JSON, YAML and names', () => {
  const result = { data: [{ name: 'node-1', apiPort: 1 }], names: ['node-1'], view: [] };
  assert.deepEqual(JSON.parse(formatResult(result, 'json', { style: plain })), result.data);
  assert.equal(formatResult(result, 'yaml', { style: plain }), '- name: node-1\n  apiPort: 1\n');
  assert.equal(formatResult(result, 'name', { style: plain }), 'node-1\n');
});

test('wantsColour: flag over FORCE_COLOR over NO_COLOR over TERM=dumb over terminal', () => {
  const cases: [Parameters<typeof wantsColour>, boolean][] = [
    [['auto', {}, true], true],
    [['auto', {}, false], false],
    [['auto', { NO_COLOR: '1' }, true], false],
    [['auto', { NO_COLOR: '' }, true], true],
    [['auto', { TERM: 'dumb' }, true], false],
    [['auto', { FORCE_COLOR: '1', NO_COLOR: '1' }, false], true],
    [['auto', { FORCE_COLOR: '0' }, true], false],
    [['always', { NO_COLOR: '1' }, false], true],
    [['never', { FORCE_COLOR: '1' }, true], false],
  ];
  for (const [args, expected] of cases) assert.equal(wantsColour(...args), expected, JSON.stringify(args));
});

test('createStyle without colour changes nothing; with colour it marks', () => {
  assert.equal(plain.bad('x'), 'x');
  assert.equal(createStyle(true).bad('x'), '\u001b[31mx\u001b[39m');
});

test('units are written for people', () => {
  assert.deepEqual([0, 1023, 1024, 10_240, 123_456_789, 1.5 * 1024 ** 3].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.00 KiB',
    '10.0 KiB',
    '118 MiB',
    '1.50 GiB',
  ]);
  assert.deepEqual([40, 9_949, 41_000, 59_600, 187_000, 7_500_000, 273_600_000].map(formatDuration), [
    '0.0 s',
    '9.9 s',
    '41 s',
    '1m 00s',
    '3m 07s',
    '2h 05m',
    '3d 4h',
  ]);
});

const spanned = new PlinthError('cli/usage', 'Cannot read a.yaml: unknown key "naem"', {
  hint: 'did you mean "name"?',
  diagnostics: [
    {
      code: 'cli/usage',
      severity: 'error',
      message: 'Cannot read a.yaml: unknown key "naem"',
      path: '$',
      span: { file: 'a.yaml', line: 2, column: 1, length: 4 },
      hint: 'did you mean "name"?',
    },
  ],
});

test('renderError draws a frame with a caret and ends with the hint', () => {
  assert.equal(
    renderError(spanned, plain, () => 'size: 1\nnaem: x\n'),
    [
      'error[cli/usage]: Cannot read a.yaml: unknown key "naem"',
      '  --> a.yaml:2:1 ($)',
      '  |',
      '2 | naem: x',
      '  | ^^^^',
      '  hint: did you mean "name"?',
      '',
    ].join('\n'),
  );
});

test('renderError frames nothing that no person can read, and nothing that commands a terminal', () => {
  const head = 'error[cli/usage]: Cannot read a.yaml: unknown key "naem"\n  --> a.yaml:2:1 ($)\n';
  const after = (second: string) =>
    renderError(spanned, plain, () => `size: 1\n${second}\n`).slice(head.length);
  assert.equal(after('a'.repeat(1_000_000)), '  hint: did you mean "name"?\n');
  assert.match(after('n\tx\u001b[31m\0'), /^ {2}\|\n2 \| n x \n/);
});

test('renderError takes its hint from the code when it has none, and greets an interruption calmly', () => {
  const full = new PlinthError('host/disk-full', 'Cannot write x: no space left');
  assert.match(
    renderError(full, plain),
    /^error\[host\/disk-full\]: Cannot write x: no space left\n {2}hint: Free space/,
  );
  const stopped = new PlinthError('cli/interrupted', 'Cannot finish');
  assert.equal(renderError(stopped, plain), 'Interrupted. Run it again: finished steps are kept.\n');
});

test('errorData carries code, hint and exit code for programs', () => {
  const { error } = JSON.parse(JSON.stringify(errorData(spanned)));
  assert.equal(error.code, 'cli/usage');
  assert.equal(error.exitCode, 2);
  assert.equal(error.diagnostics[0].span.line, 2);
});
